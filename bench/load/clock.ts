/**
 * A clock that is the same in all processes of a machine.
 *
 * @module
 */

/** Milliseconds, with fractions, since the machine started or some such time; only differences mean anything. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6
