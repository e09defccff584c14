/**
 * Waiting until enforcers have a version. Enforcers are looked at when something was heard of them, all for all who wait.
 *
 * @module
 */
import type { Confirmation } from '../revocation/digest-history.ts'
import type { LiveState } from '../revocation/live-state.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Fleet } from './fleet.ts'

/** A version that somebody asks for; the digest tells it from the same number in a log that is gone. */
export interface VersionQuestion {
  readonly version: number
  readonly digest: bigint
}

/** What is waited for, and on what. */
export interface FleetAcksOptions {
  readonly fleet: Fleet
  readonly state: Pick<LiveState, 'confirm'>
  /** How many may wait at a time. */
  readonly waitingLimit?: number
  readonly clock?: Clock
}

/** Those who wait. */
export interface FleetAcks {
  /** Whether the version is one that is served here. */
  known(question: VersionQuestion): Confirmation
  /**
   * Resolves when the version is served and every enforcer that is connected has it, or when the time is over or the
   * signal aborts. False at once if too many wait already.
   */
  wait(question: VersionQuestion, waitMs: number, signal: AbortSignal): Promise<boolean>
  /** Lets everybody go. */
  close(): void
}

interface Waiting {
  readonly question: VersionQuestion
  readonly leave: () => void
}

const defaultWaitingLimit = 128

/** Pause before enforcers are looked at again: none up to 16, then growing to 100 ms, as between pushes. */
const lookPauseMs = (enforcers: number): number => (enforcers <= 16 ? 0 : Math.min(100, enforcers / 5))

/** Nobody waits yet. */
export function createFleetAcks(options: FleetAcksOptions): FleetAcks {
  const { fleet, state, waitingLimit = defaultWaitingLimit, clock = systemClock } = options
  const waiting = new Set<Waiting>()
  let stopLooking: (() => void) | undefined

  const known = ({ version, digest }: VersionQuestion) => state.confirm(version, digest)

  const look = () => {
    stopLooking = undefined
    const least = fleet.leastAcked()
    for (const { question, leave } of waiting) if (isReached(question, least)) leave()
  }
  const isReached = (question: VersionQuestion, least: number) =>
    least >= question.version && known(question) === 'confirmed'

  const unsubscribe = fleet.subscribe(() => {
    if (waiting.size > 0) stopLooking ??= clock.after(lookPauseMs(fleet.connected), look)
  })

  return {
    known,
    wait: (question, waitMs, signal) => {
      if (waitMs === 0 || signal.aborted || isReached(question, fleet.leastAcked()))
        return Promise.resolve(true)
      if (waiting.size >= waitingLimit) return Promise.resolve(false)
      return new Promise(done => {
        const leave = () => {
          waiting.delete(self)
          stopTimer()
          signal.removeEventListener('abort', leave)
          done(true)
        }
        const self = { question, leave }
        const stopTimer = clock.after(waitMs, leave)
        signal.addEventListener('abort', leave, { once: true })
        waiting.add(self)
      })
    },
    close: () => {
      unsubscribe()
      stopLooking?.()
      for (const { leave } of waiting) leave()
    },
  }
}
