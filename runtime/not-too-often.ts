/**
 * Keeps what happens a thousand times a second from being logged a thousand times a second.
 *
 * @module
 */

/**
 * Passes on one call in an interval.
 *
 * @param report gets how many calls were held back since the last one that was passed on, and the call's arguments.
 */
export function notTooOften<Args extends readonly unknown[]>(
  intervalMs: number,
  report: (heldBack: number, ...args: Args) => void,
): (...args: Args) => void {
  let reportedAtMs = Number.NEGATIVE_INFINITY
  let heldBack = 0
  return (...args) => {
    if (performance.now() - reportedAtMs < intervalMs) {
      heldBack++
      return
    }
    report(heldBack, ...args)
    reportedAtMs = performance.now()
    heldBack = 0
  }
}
