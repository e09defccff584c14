/**
 * Reads a Redis stream as a consumer group: acknowledged after the append; what a dead consumer left is claimed.
 *
 * @module
 */
import { hostname } from 'node:os'
import type { Redis } from 'ioredis'
import { type ConnectOptions, connectRedis } from '../../event-log/redis/connection.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type Importer, keepRunning } from '../importer.ts'
import type { InboxMessage, TakePage } from './page.ts'

/** Which stream, and how to get there. */
export interface RedisInboxSettings extends Omit<ConnectOptions, 'silenceMs' | 'key'> {
  readonly stream: string
  /** Name of the consumer group; it is created, and then reads from the stream's beginning. */
  readonly group: string
}

/** The field of an entry that holds the message. */
const messageField = 'event'

/** Most entries that are read at once; Redis has no limit for the size of one but 512 MB. */
const pageEntries = 32
const blockMs = 2_000
const silenceMs = 10_000
/** What is not acknowledged for so long belongs to a consumer that is dead. */
const abandonedMs = 60_000
const claimIntervalMs = 15_000

/** Starts to read, in the background and until closed. */
export function readRedisInbox(
  name: string,
  settings: RedisInboxSettings,
  takePage: TakePage,
  logger: Logger,
): Importer {
  const read = async (closing: AbortSignal): Promise<void> => {
    const client = await connectRedis({ ...settings, silenceMs, key: settings.stream }, closing)
    try {
      await createGroup(client, settings)
      logger.info({ inbox: name, stream: settings.stream }, 'reading the inbox')
      for await (const entries of pagesOf(client, settings, closing)) {
        await takePage(entries.map(messageOf(settings.stream)), closing)
        const ids = entries.map(({ id }) => id)
        if (ids.length > 0) await client.xack(settings.stream, settings.group, ...ids)
      }
    } finally {
      client.disconnect()
    }
  }
  return keepRunning(read, (error, retryMs) =>
    logger.error({ err: error, inbox: name, retryMs }, 'the inbox cannot be read; trying again'),
  )
}

interface Entry {
  readonly id: string
  /** Absent without the field, and when the entry was trimmed before it was acknowledged. */
  readonly content: Buffer | undefined
}

const messageOf =
  (stream: string) =>
  ({ id, content }: Entry): InboxMessage => ({
    content,
    position: `${stream}/${id}`,
    sentAtSeconds: Number(id.split('-', 1)[0]) / 1000,
  })

async function createGroup(client: Redis, { stream, group }: RedisInboxSettings): Promise<void> {
  try {
    await client.xgroup('CREATE', stream, group, '0', 'MKSTREAM')
  } catch (error) {
    if (!(error as Error).message.startsWith('BUSYGROUP')) throw error
  }
}

/** First what this consumer had not acknowledged when it ended, then what is new, and now and then what others left. */
async function* pagesOf(
  client: Redis,
  settings: RedisInboxSettings,
  closing: AbortSignal,
): AsyncGenerator<readonly Entry[]> {
  let from = '0'
  let claimedAtMs = Number.NEGATIVE_INFINITY
  while (!closing.aborted) {
    if (performance.now() - claimedAtMs > claimIntervalMs) {
      yield* abandoned(client, settings)
      claimedAtMs = performance.now()
    }
    const entries = await readGroup(client, settings, from)
    yield entries
    if (from !== '>') from = entries.at(-1)?.id ?? '>'
  }
}

async function* abandoned(client: Redis, settings: RedisInboxSettings): AsyncGenerator<readonly Entry[]> {
  const { stream, group } = settings
  let cursor = '0-0'
  do {
    const args = [stream, group, hostname(), abandonedMs, cursor, 'COUNT', pageEntries]
    const [next, entries] = (await client.callBuffer('XAUTOCLAIM', ...args)) as [Buffer, (RawEntry | null)[]]
    // Redis 6.2 gives null for an entry that was trimmed.
    yield entries.filter(entry => entry !== null).map(entryOf)
    cursor = next.toString()
  } while (cursor !== '0-0')
}

async function readGroup(
  client: Redis,
  { stream, group }: RedisInboxSettings,
  from: string,
): Promise<readonly Entry[]> {
  const what = ['GROUP', group, hostname(), 'COUNT', pageEntries, 'BLOCK', blockMs, 'STREAMS', stream, from]
  const reply = (await client.callBuffer('XREADGROUP', ...what)) as [Buffer, RawEntry[]][] | null
  return (reply?.[0]?.[1] ?? []).map(entryOf)
}

type RawEntry = [id: Buffer, fields: Buffer[] | null]

function entryOf([id, fields]: RawEntry): Entry {
  const at = (fields ?? []).findIndex((field, index) => index % 2 === 0 && String(field) === messageField)
  return { id: id.toString(), content: at < 0 ? undefined : fields?.[at + 1] }
}
