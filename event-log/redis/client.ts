/**
 * A client of the library that lives once: it connects, and when it loses its connection it has ended. Nothing is ever sent
 * again by the library.
 *
 * @module
 */
import { Redis, type RedisOptions } from 'ioredis'
import { unreachable } from './refusal.ts'

/** How long a connection may take to come about, milliseconds. */
export const connectTimeoutMs = 3_000
const disconnectTimeoutMs = 500

/**
 * Connects, and resolves when commands are taken.
 *
 * @param setting the section of the settings, for errors.
 * @param stop ends the connection, whenever it aborts.
 * @throws RescindError ERR_LOG_UNREACHABLE
 */
export async function openClient(how: RedisOptions, setting: string, stop: AbortSignal): Promise<Redis> {
  if (stop.aborted) throw unreachable('it is closed', setting)
  const client = new Redis({ ...livesOnce, ...how, replyMapping: 'legacy' })
  let reason: string | undefined
  client.on('error', (error: Error & { command?: { name: string } }) => {
    reason ??= error.message
    // The library would go on in database 0.
    if (error.command?.name === 'select') client.disconnect()
  })
  const end = () => client.disconnect()
  stop.addEventListener('abort', end, { once: true })
  client.once('end', () => stop.removeEventListener('abort', end))
  try {
    await client.connect()
  } catch (error) {
    if (client.status !== 'end') client.disconnect()
    throw unreachable(reason ?? (error as Error).message, setting)
  }
  if (stop.aborted) client.disconnect()
  return client
}

const livesOnce: RedisOptions = {
  protocol: 2,
  disableClientInfo: true,
  lazyConnect: true,
  connectTimeout: connectTimeoutMs,
  disconnectTimeout: disconnectTimeoutMs,
  maxLoadingRetryTime: 250,
  retryStrategy: null,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
}
