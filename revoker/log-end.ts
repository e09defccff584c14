/**
 * What a follower has read of the log: up to its end of now, before somebody is told that there is no such thing; and
 * acknowledged, before somebody is told that something is there.
 *
 * @module
 */
import type { EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'

/** A log, and who reads it. */
export interface FollowedLog {
  readonly log: EventLog
  readonly follower: LogFollower
}

const waitLimitMs = 5_000

/**
 * Resolves when the state holds everything that the log held when this was called.
 *
 * @throws RescindError ERR_LOG_BEHIND if that takes too long, or what the log throws.
 */
export async function readToEnd({ log, follower }: FollowedLog, limitMs = waitLimitMs): Promise<void> {
  const { state, restarts } = follower
  const startedAtMs = performance.now()
  const { position, digest, epoch } = state
  const check = await log.check({ position, digest })
  const isSameLog = check.known === 'confirmed' && check.epoch === epoch
  const isRead = () =>
    follower.complete &&
    // The follower's own look at the end counts too: an end may be named that is never read (Kafka).
    (follower.confirmedAtMs >= startedAtMs ||
      (isSameLog && follower.restarts === restarts && state.position >= check.end))
  if (await becomes(isRead, follower, limitMs)) return
  const message = 'this revoker has not read the event log to its end; try again'
  throw new RescindError('ERR_LOG_BEHIND', message)
}

/**
 * What was read may never have been acknowledged: a repeat must not make it look as if it had been.
 *
 * @returns the position up to which it is.
 * @throws RescindError what `EventLog.confirm` throws.
 */
export async function confirmRead({ log, follower }: FollowedLog): Promise<number> {
  const { position, digest } = follower.state
  await log.confirm({ position, digest })
  return position
}

function becomes(isTrue: () => boolean, follower: LogFollower, limitMs: number): Promise<boolean> {
  if (isTrue()) return Promise.resolve(true)
  return new Promise(done => {
    const end = (answer: boolean) => {
      unsubscribe()
      clearTimeout(timer)
      done(answer)
    }
    const unsubscribe = follower.subscribe(() => {
      if (isTrue()) end(true)
    })
    const timer = setTimeout(() => end(false), limitMs)
  })
}
