/**
 * The question that adapters are asked: a version with the digest that tells it from the same number in a log that is gone.
 *
 * @module
 */
import type { EventLog } from '../../event-log/event-log.ts'
import type { LogFollower } from '../../event-log/follow.ts'

/** A position of the log as it is now. */
export interface VersionQuestion {
  readonly version: number
  readonly digest: bigint
}

/** What a question is made from. */
export interface LogQuestionSources {
  readonly log: Pick<EventLog, 'check'>
  readonly follower: Pick<LogFollower, 'state' | 'reached'>
}

/**
 * The question for a position that was just appended or confirmed, and the log's epoch. Undefined if it cannot be put
 * now: after a log lost its tail, what this process has read at the position may be another entry, so the log is asked.
 *
 * @throws RescindError ERR_LOG_UNREACHABLE
 */
export async function questionOf(
  position: number,
  { log, follower }: LogQuestionSources,
): Promise<(VersionQuestion & { readonly epoch: string }) | undefined> {
  if (!(await follower.reached(position))) return undefined
  const { epoch } = follower.state
  const digest = follower.state.digestAt(position)
  if (digest === undefined || epoch === undefined) return undefined
  const check = await log.check({ position, digest })
  return check.known === 'confirmed' && check.epoch === epoch
    ? { version: position, digest, epoch }
    : undefined
}
