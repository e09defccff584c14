/**
 * Time as protocol logic meets it, so that it can also run on a simulated clock.
 *
 * @module
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** Tells the time and calls back. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; it may jump. */
  wallMs(): number
  /** Milliseconds that only grow, from some beginning. */
  monotonicMs(): number
  /** Resolves after a time, or when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Resolves when what else waits has had its turn. */
  turn(): Promise<void>
  /** Calls once after a time; 0: in the next turn. Returns how to stop that. */
  after(ms: number, action: () => void): () => void
  /** Calls again and again, for the first time after `ms`. Returns how to stop that. */
  every(ms: number, action: () => void): () => void
}

/** The clock of this machine. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => pause(ms, undefined, signal && { signal }).catch(() => undefined),
  turn: () => nextTurn(),
  after: (ms, action) => {
    if (ms === 0) {
      const immediate = setImmediate(action)
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
  every: (ms, action) => {
    const timer = setInterval(action, ms)
    return () => clearInterval(timer)
  },
}

/** A time by both clocks of a machine. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** The time now. */
export const momentOf = (clock: Pick<Clock, 'monotonicMs' | 'wallMs'>): Moment => ({
  monotonicMs: clock.monotonicMs(),
  wallMs: clock.wallMs(),
})
