/**
 * How commands end; docs/commands.md lists them.
 *
 * @module
 */

/** Exit codes beside 0 (done) and 1 (an error, which was printed). */
export const exitCodes = {
  /** It was done, but not every enforcer has it yet. */
  pending: 2,
  /** There is nothing of this name. */
  notFound: 3,
} as const
