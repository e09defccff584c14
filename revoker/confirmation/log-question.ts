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

/** The same, and which log that is. */
export interface LogQuestion extends VersionQuestion {
  readonly epoch: string
}

/** What questions are made from. */
export interface LogQuestionSources {
  readonly log: Pick<EventLog, 'check'>
  readonly follower: Pick<LogFollower, 'state' | 'restarts' | 'reached'>
}

/** Makes questions. */
export interface LogQuestions {
  /**
   * The question for a position that was just appended or confirmed. Undefined if it cannot be put now.
   *
   * @throws RescindError ERR_LOG_UNREACHABLE
   */
  of(position: number): Promise<LogQuestion | undefined>
}

/**
 * After a log lost its tail, what this process has read at a position may be another entry than the one that was appended
 * there. So the log is asked whether it still has what was read last, and with that all before it; once for all who want to
 * know it in the meantime.
 */
export function createLogQuestions({ log, follower }: LogQuestionSources): LogQuestions {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<boolean> | undefined

  const isAsRead = async (): Promise<boolean> => {
    const { restarts } = follower
    const { position, digest, epoch } = follower.state
    const check = await log.check({ position, digest })
    return check.known === 'confirmed' && check.epoch === epoch && restarts === follower.restarts
  }
  /** One that began before may have looked too early. */
  const lookNext = (): Promise<boolean> => {
    next ??= running.then(() => {
      next = undefined
      const looking = isAsRead()
      running = looking.catch(() => undefined)
      return looking
    })
    return next
  }

  return {
    of: async position => {
      if (!(await follower.reached(position)) || !(await lookNext())) return undefined
      const { epoch } = follower.state
      const digest = follower.state.digestAt(position)
      return digest === undefined || epoch === undefined ? undefined : { version: position, digest, epoch }
    },
  }
}
