/**
 * The steady clock and the timers of this folder, so that tests can turn them by hand.
 *
 * @module
 */

/** A clock that is never set back, and timers on it. */
export interface Timing {
  /** Milliseconds since some fixed moment. */
  steadyNowMs(): number
  /** Runs `run` once after `delayMs`, unless the returned function is called before. Keeps no process alive. */
  after(delayMs: number, run: () => void): () => void
}

/** Longest delay that setTimeout takes; longer ones would fire at once. */
const delayMsMax = 2 ** 31 - 1

/** The real thing: `performance.now` and unref'ed timers. */
export const systemTiming: Timing = {
  steadyNowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, delayMsMax))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
