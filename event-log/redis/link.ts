/**
 * Keeps one connection to Redis: connects again when it is lost, and says so once each.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from '../../runtime/logger.ts'
import { addressOf } from './connection.ts'
import { unreachable } from './refusal.ts'

/** How to connect, and what to do with a new connection. */
export interface LinkOptions {
  connect(stop: AbortSignal): Promise<Redis>
  /** Where we connect to, for the log; nothing secret. */
  readonly server: string
  /** What is there, for the log. Default: the event log. */
  readonly what?: string
  /** The section of the settings, for errors. Default: that of the event log. */
  readonly setting?: string
  readonly logger: Logger
  onConnected(client: Redis): void
}

/** A connection that is there most of the time. */
export interface RedisLink {
  /** The connection. @throws RescindError ERR_LOG_UNREACHABLE when there is none now. */
  client(): Redis
  /** Resolves after the first attempt, whatever became of it. */
  readonly attempted: Promise<void>
  close(): Promise<void>
}

/** Short, for what is revoked meanwhile is refused. */
const retryMs = { first: 50, most: 250 }

/** Starts connecting. */
export function keepConnected(options: LinkOptions): RedisLink {
  const { server, what = 'the event log', logger } = options
  const stop = new AbortController()
  let current: Redis | undefined
  let away = false
  let attempted: () => void = () => undefined
  const firstAttempt = new Promise<void>(resolve => {
    attempted = resolve
  })

  const attempt = async (): Promise<Redis | undefined> => {
    try {
      return await options.connect(stop.signal)
    } catch (error) {
      if (!away && !stop.signal.aborted) {
        logger.error({ server, err: error }, `${what} cannot be reached; trying again`)
      }
      away = true
      return undefined
    }
  }

  const use = async (client: Redis) => {
    const address = addressOf(client)
    const ended = endOf(client)
    if (away) logger.info({ server: address }, `the connection to ${what} is back`)
    away = false
    current = client
    options.onConnected(client)
    attempted()
    await ended
    current = undefined
    if (stop.signal.aborted) return
    away = true
    logger.error({ server: address }, `the connection to ${what} is lost; trying again`)
  }

  const keep = async () => {
    let delayMs = retryMs.first
    while (!stop.signal.aborted) {
      const client = await attempt()
      if (client !== undefined) {
        delayMs = retryMs.first
        await use(client)
      }
      attempted()
      await pause(delayMs, undefined, { signal: stop.signal }).catch(() => undefined)
      delayMs = Math.min(retryMs.most, delayMs * 2)
    }
  }

  const keeping = keep()
  return {
    client: () => {
      if (current?.status !== 'ready') throw unreachable('there is no connection', options.setting)
      return current
    },
    attempted: firstAttempt,
    close: async () => {
      stop.abort()
      await keeping
    },
  }
}

const endOf = (client: Redis): Promise<void> =>
  new Promise(resolve => {
    if (client.status === 'end') resolve()
    else client.once('end', () => resolve())
  })
