/**
 * Confirms positions that were read: that the log still holds them, and that the replicas have them too. Questions that come
 * while one is under way go together in the next one.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import { beforeFirst, type EventLog, type LogPosition } from '../event-log.ts'
import type { RedisLink } from './link.ts'
import { appendFailure, rolledBack } from './refusal.ts'
import type { WaitForReplicas } from './replicas.ts'
import { callConfirm, type LogKeys } from './scripts.ts'

/** What confirming needs. */
export interface ConfirmOptions {
  readonly link: RedisLink
  readonly keys: LogKeys
  readonly waitReplicas: number
  readonly waitForReplicas: WaitForReplicas
  readonly timeoutMs: number
}

/** Questions that go together. */
interface Round {
  readonly known: LogPosition[]
  /** For each, whether the log holds it. */
  readonly answers: Promise<readonly boolean[]>
}

const roundLimit = 5_000

/** Creates the log's `confirm`. */
export function createConfirm(options: ConfirmOptions): EventLog['confirm'] {
  const { link, keys, waitReplicas, waitForReplicas, timeoutMs } = options
  let next: Round | undefined
  let last: Promise<unknown> = Promise.resolve()

  const ask = async (known: readonly LogPosition[]): Promise<readonly boolean[]> => {
    const client = link.client()
    // Both are sent at once: WAIT counts what was written on its own connection.
    const [held, replicated] = await Promise.allSettled([
      callConfirm(client, keys, known, waitReplicas > 0),
      waitForReplicas(client),
    ])
    if (held.status === 'rejected') throw appendFailure(client, held.reason)
    if (replicated.status === 'rejected') throw replicated.reason
    return held.value
  }

  const startRound = (): Round => {
    const known: LogPosition[] = []
    const answers = last.then(() => {
      next = undefined
      return ask(known)
    })
    last = answers.catch(() => undefined)
    return { known, answers }
  }

  return async known => {
    if (known.position === beforeFirst.position) return
    next ??= startRound()
    const { known: asked, answers } = next
    if (asked.length >= roundLimit) throw tooMany()
    const index = asked.push(known) - 1
    const held = await withDeadline(answers, timeoutMs, noAnswer)
    if (!held[index]) throw rolledBack(keys.log, known)
  }
}

const tooMany = () => new RescindError('ERR_OVERLOADED', 'too many confirmations wait for the event log')

const noAnswer = () =>
  new RescindError(
    'ERR_LOG_TIMEOUT',
    'the event log did not confirm in time what it holds; a fail-over may lose it',
  )
