/**
 * Writes groups of events to the stream, all in one step, and waits for replicas.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { AppendGroup, WriteGroups } from '../append-queue.ts'
import type { RedisLink } from './link.ts'
import { appendFailure } from './refusal.ts'
import type { WaitForReplicas } from './replicas.ts'
import { callAppend, type LogKeys } from './scripts.ts'

/** What writing needs. */
export interface WriteOptions {
  readonly link: RedisLink
  readonly keys: LogKeys
  readonly waitForReplicas: WaitForReplicas
  readonly logger: Logger
}

/** Creates the writer that an append queue calls. */
export function createGroupWriter({ link, keys, waitForReplicas, logger }: WriteOptions): WriteGroups {
  let exhaustedBy: string | undefined

  const refuseBeyond = (lastId: string): RescindError => {
    const error = exhausted(keys.log, lastId)
    if (exhaustedBy !== lastId) logger.error({ id: lastId, err: error }, error.message)
    exhaustedBy = lastId
    return error
  }

  return async groups => {
    const events = groups.flatMap(group => group.events)
    if (events.length === 0) return groups.map(() => [])
    const client = link.client()
    // Both are sent at once: WAIT counts only what was written on its own connection.
    const [stored, replicated] = await Promise.allSettled([
      callAppend(client, keys, randomUUID(), events),
      waitForReplicas(client),
    ])
    if (stored.status === 'rejected') throw appendFailure(client, stored.reason)
    if (typeof stored.value === 'string') throw refuseBeyond(stored.value)
    if (replicated.status === 'rejected') throw replicated.reason
    return positionsOf(groups, stored.value)
  }
}

function positionsOf(groups: readonly AppendGroup[], first: number): number[][] {
  let next = first
  return groups.map(({ events }) => events.map(() => next++))
}

const exhausted = (key: string, lastId: string) =>
  new RescindError(
    'ERR_LOG_EXHAUSTED',
    `eventLog.redis: the last id of the stream ${key} is ${lastId}, beyond 2^53-1, which only somebody else can have added; nothing was stored and nothing can be. Remove it (XDEL ${key} ${lastId}), then set the last id back to the greatest one left (XREVRANGE ${key} + - COUNT 1, then XSETID ${key} <that id>)`,
  )
