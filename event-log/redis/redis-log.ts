/**
 * The event log in Redis: a stream whose ids are the positions, shared by any number of processes.
 *
 * @module
 */
import type { Confirmation } from '../../revocation/digest-history.ts'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { describeRedis, parseRedisUrl } from '../../runtime/config/redis-url.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createAppendQueue } from '../append-queue.ts'
import { beforeFirst, checkAppendSize, type EventLog, type LogPosition } from '../event-log.ts'
import { createConfirm } from './confirm.ts'
import { connectRedis } from './connection.ts'
import { warnAboutDurability } from './durability.ts'
import { tellOnce } from './foreign-entries.ts'
import { keepConnected } from './link.ts'
import { readStream } from './read-stream.ts'
import { readFailure, rolledBack, unreachable } from './refusal.ts'
import { createReplicaWait } from './replicas.ts'
import { type CheckReply, callCheck, callTrim, hexOf, keysOf } from './scripts.ts'
import { createGroupWriter } from './write-groups.ts'

/** Which Redis, and how. */
export interface RedisLogOptions {
  /** As {@link parseRedisUrl} reads it. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly sentinelPassword?: string
  /** Used where the URL says TLS. */
  readonly tls?: ClientTlsOptions
  /** The keys are `{prefix}:log` and `{prefix}:meta`. */
  readonly prefix: string
  readonly appendTimeoutMs: number
  /** An append is acknowledged when so many replicas have it. */
  readonly waitReplicas: number
  readonly logger: Logger
  /** Told once of each entry that others added to the stream: its id, and why it is not an event. */
  onForeign(where: string, problem: string): void
}

/** A connection that owes an answer for so long is dead. */
const silenceMs = 5_000

/** First position of a new log. */
const firstPosition = 1

/**
 * Opens the log. It opens also while Redis cannot be reached; appends then fail until it can.
 *
 * @throws RescindError ERR_CONFIG_INVALID for a URL that is none.
 */
export async function openRedisLog(options: RedisLogOptions): Promise<EventLog> {
  const { appendTimeoutMs, waitReplicas, logger } = options
  const url = parseRedisUrl(options.url)
  const keys = keysOf(options.prefix)
  const closed = new AbortController()
  // The replicas' share of the time; the rest lets the answer arrive before the time-out.
  const waitTimeoutMs = Math.ceil(appendTimeoutMs * 0.8)

  const connect = (stop: AbortSignal, mayWaitMs: number) =>
    connectRedis(
      { ...options, setting: 'eventLog.redis', url, key: keys.meta, silenceMs: silenceMs + mayWaitMs },
      stop,
    )
  const link = keepConnected({
    connect: stop => connect(stop, waitReplicas > 0 ? waitTimeoutMs : 0),
    server: describeRedis(url),
    logger,
    onConnected: client => void warnAboutDurability({ client, waitReplicas, logger }),
  })
  const waitForReplicas = createReplicaWait({ waitReplicas, waitTimeoutMs, logger })
  const queue = createAppendQueue(createGroupWriter({ link, keys, waitForReplicas, logger }), appendTimeoutMs)

  const appendAll = async (events: readonly Uint8Array[]) => {
    checkAppendSize(events)
    if (closed.signal.aborted) throw unreachable('the event log is closed')
    return queue.append(events)
  }

  const check = async (known: LogPosition) => {
    const client = link.client()
    try {
      return judge(await callCheck(client, keys, known), known)
    } catch (error) {
      throw readFailure(client, error)
    }
  }

  const trim = async (before: number, known: LogPosition) => {
    const client = link.client()
    try {
      if (!(await callTrim(client, keys, before, known))) throw rolledBack(keys.log, known)
    } catch (error) {
      throw readFailure(client, error)
    }
  }

  const reading = {
    key: keys.log,
    logger,
    check,
    link,
    connect: (stop: AbortSignal) => connect(stop, 0),
    onForeign: tellOnce(options.onForeign),
  }

  await link.attempted
  return {
    append: async event => (await appendAll([event]))[0] as number,
    appendAll,
    read: (after, signal) => readStream(reading, after, AbortSignal.any([signal, closed.signal])),
    check,
    confirm: createConfirm({ link, keys, waitReplicas, waitForReplicas, timeoutMs: appendTimeoutMs }),
    trim,
    keptSeconds: Number.POSITIVE_INFINITY,
    close: async () => {
      closed.abort()
      await queue.idle()
      await link.close()
    },
  }
}

function judge(reply: CheckReply | undefined, known: LogPosition) {
  const { epoch, end = beforeFirst.position, digest } = reply ?? {}
  const start = reply === undefined ? firstPosition : (reply.start ?? end + 1)
  return { epoch, start, end, known: compare({ start, end, digest }, known) }
}

function compare(
  log: { start: number; end: number; digest: string | undefined },
  known: LogPosition,
): Confirmation {
  if (known.position === beforeFirst.position) return 'confirmed'
  // Others may have added, past the end of our own chain, what looks like an entry and was read as one.
  if (log.digest === hexOf(known.digest)) return 'confirmed'
  if (known.position > log.end) return 'ahead'
  return known.position < log.start ? 'trimmed' : 'different'
}
