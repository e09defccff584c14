/**
 * Writes groups of events to the stream, all in one step, and waits for replicas.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { AppendGroup, WriteGroups } from '../append-queue.ts'
import type { RedisLink } from './link.ts'
import { appendFailure, isRefusal } from './refusal.ts'
import { callAppend, type LogKeys } from './scripts.ts'

/** What writing needs. */
export interface WriteOptions {
  readonly link: RedisLink
  readonly keys: LogKeys
  /** Replicas that must have confirmed a write, 0: none. */
  readonly waitReplicas: number
  readonly waitTimeoutMs: number
  readonly logger: Logger
}

const setting = 'eventLog.redis.waitReplicas'

/** Creates the writer that an append queue calls. */
export function createGroupWriter(options: WriteOptions): WriteGroups {
  const { link, keys, waitReplicas, logger } = options
  let exhaustedBy: string | undefined
  let waitRefused = false

  const refuseBeyond = (lastId: string): RescindError => {
    const error = exhausted(keys.log, lastId)
    if (exhaustedBy !== lastId) logger.error({ id: lastId, err: error }, error.message)
    exhaustedBy = lastId
    return error
  }

  /** How many replicas confirmed in time; Infinity if nobody has to, or if Redis does not let us ask. */
  const countReplicas = async (client: Redis): Promise<number> => {
    if (waitReplicas === 0) return Number.POSITIVE_INFINITY
    try {
      return await client.wait(waitReplicas, options.waitTimeoutMs)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (!waitRefused)
        logger.warn({}, `${setting}: WAIT is refused, nobody is waited for (${error.message})`)
      waitRefused = true
      return Number.POSITIVE_INFINITY
    }
  }

  return async groups => {
    const events = groups.flatMap(group => group.events)
    if (events.length === 0) return groups.map(() => [])
    const client = link.client()
    // Both are sent at once: WAIT counts only what was written on its own connection.
    const [stored, replicated] = await Promise.allSettled([
      callAppend(client, keys, randomUUID(), events),
      countReplicas(client),
    ])
    if (stored.status === 'rejected') throw appendFailure(client, stored.reason)
    if (typeof stored.value === 'string') throw refuseBeyond(stored.value)
    if (replicated.status === 'rejected') throw appendFailure(client, replicated.reason)
    if (replicated.value < waitReplicas) throw tooFew(replicated.value, waitReplicas)
    return positionsOf(groups, stored.value)
  }
}

function positionsOf(groups: readonly AppendGroup[], first: number): number[][] {
  let next = first
  return groups.map(({ events }) => events.map(() => next++))
}

const tooFew = (confirmed: number, wanted: number) =>
  new RescindError(
    'ERR_LOG_TIMEOUT',
    `${setting}: ${confirmed} of ${wanted} replicas confirmed in time; it was stored, but a fail-over may lose it`,
  )

const exhausted = (key: string, lastId: string) =>
  new RescindError(
    'ERR_LOG_EXHAUSTED',
    `eventLog.redis: the last id of the stream ${key} is ${lastId}, beyond 2^53-1, which only somebody else can have added; nothing was stored and nothing can be. Remove it (XDEL ${key} ${lastId}), then set the last id back to the greatest one left (XREVRANGE ${key} + - COUNT 1, then XSETID ${key} <that id>)`,
  )
