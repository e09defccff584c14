/**
 * Waits until replicas have what was written on a connection.
 *
 * @module
 */
import type { Redis } from 'ioredis'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import { isRefusal } from './refusal.ts'

/** How many replicas, and how long. */
export interface ReplicaWaitOptions {
  /** Replicas that must have confirmed a write, 0: none. */
  readonly waitReplicas: number
  readonly waitTimeoutMs: number
  readonly logger: Logger
}

/**
 * Resolves when enough replicas have confirmed what was written on the connection before; sent at once, so that it may be
 * called while the write is under way.
 *
 * @throws RescindError ERR_LOG_TIMEOUT when too few did in time, or nobody can tell.
 */
export type WaitForReplicas = (client: Redis) => Promise<void>

const setting = 'eventLog.redis.waitReplicas'

/** Creates the function that waits; it warns once if Redis does not let us wait. */
export function createReplicaWait({
  waitReplicas,
  waitTimeoutMs,
  logger,
}: ReplicaWaitOptions): WaitForReplicas {
  let hasWarned = false

  const warn = (error: Error) => {
    if (!hasWarned) logger.warn({}, `${setting}: WAIT is refused, nobody is waited for (${error.message})`)
    hasWarned = true
  }

  return async client => {
    if (waitReplicas === 0) return
    const confirmed = await client.wait(waitReplicas, waitTimeoutMs).catch(error => {
      if (!mayNotWait(error)) throw nobodyKnows(client, error)
      warn(error)
      return Number.POSITIVE_INFINITY
    })
    if (confirmed < waitReplicas) throw tooFew(confirmed, waitReplicas)
  }
}

/** Where the command is not there for us; any other error says that this server is not, or is no longer, a master. */
const mayNotWait = (error: unknown): error is Error =>
  isRefusal(error) && /^(NOPERM|ERR unknown command)/.test(error.message)

function nobodyKnows(client: Redis, error: Error): RescindError {
  client.disconnect()
  return new RescindError(
    'ERR_LOG_TIMEOUT',
    `${setting}: it is not known whether replicas have it (${error.message}); it may have been stored, but a fail-over may lose it`,
  )
}

const tooFew = (confirmed: number, wanted: number) =>
  new RescindError(
    'ERR_LOG_TIMEOUT',
    `${setting}: ${confirmed} of ${wanted} replicas confirmed in time; it was stored, but a fail-over may lose it`,
  )
