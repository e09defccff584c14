/**
 * Reads a Kafka topic as a consumer group, any number of partitions; offsets are committed after the append.
 *
 * @module
 */
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs'
import { closeClient, createKafkaClient, type KafkaConnectionOptions } from '../../event-log/kafka/client.ts'
import { unreadableTopic } from '../../event-log/kafka/failure.ts'
import { readTopicSettings } from '../../event-log/kafka/topic.ts'
import { aborted, childSignal } from '../../runtime/abort-signal.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type Importer, keepRunning } from '../importer.ts'
import type { InboxMessage, TakePage } from './page.ts'

/** Which topic, and how to get there. */
export interface KafkaInboxSettings extends Omit<KafkaConnectionOptions, 'logger'> {
  /** The section of the settings, for errors. */
  readonly setting: string
  readonly topic: string
  /** A new group begins with the oldest message. */
  readonly groupId: string
}

const heartbeatMs = 1_000
/** For so long the partitions of a member that died have no reader. */
const sessionTimeoutMs = 10_000
/** Of a fetch; compressed, it may be a hundred times as much in memory. A larger batch comes all the same. */
const fetchBytes = 1024 * 1024
const maxWaitMs = 500
/** Most messages that are under way at once. */
const pageMessages = 500

/** Starts to read, in the background and until closed. */
export function readKafkaInbox(
  name: string,
  settings: KafkaInboxSettings,
  takePage: TakePage,
  logger: Logger,
): Importer {
  let checked = false
  const read = async (closing: AbortSignal): Promise<void> => {
    const client = createKafkaClient({ ...settings, logger }, { retry: { retries: 3 } })
    const consumer = client.kafka.consumer({
      groupId: settings.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxBytes: fetchBytes,
      maxBytesPerPartition: fetchBytes,
      maxWaitTimeInMs: maxWaitMs,
      // A consumer that has failed is replaced by keepRunning.
      retry: { retries: 3, restartOnFailure: async () => false },
    })
    const { signal, abort } = childSignal(closing)
    try {
      const crashed = crashOf(consumer)
      await consumer.connect()
      if (!checked) await warnOfCompression(client.kafka.admin(), settings, logger)
      checked = true
      await consumer.subscribe({ topics: [settings.topic], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: payload => takeBatch(payload, takePage, signal),
      })
      logger.info({ inbox: name, topic: settings.topic }, 'reading the inbox')
      await Promise.race([crashed, aborted(signal)])
    } catch (error) {
      throw unreadableTopic(settings.setting, settings.topic, error) ?? error
    } finally {
      abort()
      await closeClient(client, () => consumer.disconnect())
    }
  }
  return keepRunning(read, (error, retryMs) =>
    logger.error({ err: error, inbox: name, retryMs }, 'the inbox cannot be read; trying again'),
  )
}

const readable = new Set(['uncompressed', 'gzip'])

/** Nothing else can be read here, and a batch that cannot be read stops an inbox. */
async function warnOfCompression(
  admin: Admin,
  { setting, topic }: KafkaInboxSettings,
  logger: Logger,
): Promise<void> {
  try {
    await admin.connect()
    const type = (await readTopicSettings(admin, topic))?.get('compression.type')
    if (type === undefined || readable.has(type)) return
    logger.warn(
      { topic },
      `${setting}: compression.type of the topic ${topic} is ${type}: a batch that a producer compresses with snappy, lz4 or zstd stops this inbox; set it to uncompressed or gzip`,
    )
  } finally {
    await admin.disconnect()
  }
}

/** Rejects when the consumer gives up. */
function crashOf(consumer: Consumer): Promise<never> {
  const crashed = new Promise<never>((_, fail) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error))
  })
  // It may crash while it connects, when nobody waits for this yet.
  crashed.catch(() => undefined)
  return crashed
}

async function takeBatch(
  { batch, heartbeat, resolveOffset, commitOffsetsIfNecessary, isStale }: EachBatchPayload,
  takePage: TakePage,
  closing: AbortSignal,
): Promise<void> {
  const { topic, partition, messages } = batch
  for (let at = 0; at < messages.length && !isStale() && !closing.aborted; at += pageMessages) {
    const page = messages.slice(at, at + pageMessages)
    const taken = await whileBeating(heartbeat, closing, signal =>
      takePage(
        page.map(
          ({ value, offset, timestamp }): InboxMessage => ({
            content: value ?? undefined,
            position: `${topic}/${partition}/${offset}`,
            sentAtSeconds: Number(timestamp) / 1000,
          }),
        ),
        signal,
      ),
    )
    if (!taken) return
    const last = page.at(-1)?.offset as string
    resolveOffset(last)
    const next = { partition, offset: String(BigInt(last) + 1n) }
    await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [next] }] })
  }
}

/**
 * Stays a member of the group while the log is waited for.
 *
 * @returns false when it was ended by closing.
 * @throws why this is not a member any more: others read the page again, which is harmless.
 */
async function whileBeating(
  heartbeat: () => Promise<void>,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const { signal, abort } = childSignal(closing)
  const timer = setInterval(() => heartbeat().catch(abort), heartbeatMs)
  try {
    await work(signal)
    return true
  } catch (error) {
    if (closing.aborted) return false
    throw error
  } finally {
    clearInterval(timer)
  }
}
