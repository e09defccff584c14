/**
 * What an error of the client library means for the log.
 *
 * @module
 */
import { type Redis, ReplyError } from 'ioredis'
import { RescindError } from '../../revocation/error.ts'
import type { LogPosition } from '../event-log.ts'

/** This server is not, or not yet, the one to ask: connect anew, and find out which one is. */
const notHere = new Set([
  'READONLY',
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'UNBLOCKED',
  'NOAUTH',
])

/** Whether Redis itself answered so; anything else is an answer that never came. */
export const isRefusal = (error: unknown): error is Error => error instanceof ReplyError

/**
 * The error of an append. Redis does nothing of a command that it refuses; when no answer came it may have done it.
 */
export function appendFailure(client: Redis, error: unknown): RescindError {
  if (!isRefusal(error)) {
    return new RescindError(
      'ERR_LOG_TIMEOUT',
      'eventLog.redis: the connection broke before Redis answered; it may have been stored',
    )
  }
  if (leave(client, error)) return unreachable(error.message)
  return new RescindError('ERR_LOG_WRITE', `eventLog.redis: nothing was stored: ${error.message}`)
}

/** The error of anything that only reads, or may be repeated. */
export function readFailure(client: Redis, error: unknown): unknown {
  if (error instanceof RescindError) return error
  if (!isRefusal(error)) return unreachable('the connection broke')
  if (leave(client, error)) return unreachable(error.message)
  return new RescindError('ERR_LOG_SETUP', `eventLog.redis: Redis refuses: ${error.message}`)
}

/** Nothing was done, because there is no connection to the right server. */
export const unreachable = (reason: string, setting = 'eventLog.redis') =>
  new RescindError('ERR_LOG_UNREACHABLE', `${setting}.url: not reachable: ${reason}; nothing was stored`)

/** The stream does not go on from a position that was read. */
export const rolledBack = (key: string, { position }: LogPosition) =>
  new RescindError(
    'ERR_LOG_ROLLED_BACK',
    `eventLog.redis: the stream ${key} does not hold position ${position} as it was read`,
  )

/** Ends the connection if this server is not the one to ask; returns whether it is not. */
export function leave(client: Redis, error: Error): boolean {
  if (!notHere.has(error.message.split(' ', 1)[0] as string)) return false
  client.disconnect()
  return true
}
