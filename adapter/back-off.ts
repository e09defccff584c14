/**
 * How long a stream waits after a refusal, so that an enforcer which refuses everything is no hot loop. No I/O.
 *
 * @module
 */

const firstMs = 1_000
const limitMs = 30_000
const textLimit = 500

/**
 * Milliseconds to wait: 1 s, doubling to 30 s, less up to a half of it.
 *
 * @param refusals how many came before this one.
 * @param random gives 0 to 1.
 */
export const backOffMs = (refusals: number, random: () => number): number =>
  Math.min(limitMs, firstMs * 2 ** refusals) * (0.5 + random() / 2)

/** What is kept of the reason of a NACK. */
export const shownNack = (error: { readonly message: string } | null): string =>
  (error?.message ?? '').slice(0, textLimit)
