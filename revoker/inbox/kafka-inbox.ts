/**
 * Reads a Kafka topic as a consumer group, any number of partitions; offsets are committed after the append.
 *
 * @module
 */
import type { Consumer, EachBatchPayload } from 'kafkajs'
import { closeClient, createKafkaClient, type KafkaConnectionOptions } from '../../event-log/kafka/client.ts'
import type { Logger } from '../../runtime/logger.ts'
import { aborted, childSignal, type Importer, keepRunning } from '../importer.ts'
import { type InboxMessage, pageMessages, type TakePage } from './page.ts'

/** Which topic, and how to get there. */
export interface KafkaInboxSettings extends Omit<KafkaConnectionOptions, 'logger'> {
  readonly topic: string
  /** A new group begins with the oldest message. */
  readonly groupId: string
}

const heartbeatMs = 1_000
/** For so long the partitions of a member that died have no reader. */
const sessionTimeoutMs = 10_000
const maxBatchBytes = 4 * 1024 * 1024
const maxWaitMs = 500

/** Starts to read, in the background and until closed. */
export function readKafkaInbox(
  name: string,
  settings: KafkaInboxSettings,
  takePage: TakePage,
  logger: Logger,
): Importer {
  const read = async (closing: AbortSignal): Promise<void> => {
    const client = createKafkaClient({ ...settings, logger }, { retry: { retries: 3 } })
    const consumer = client.kafka.consumer({
      groupId: settings.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxBytes: maxBatchBytes,
      maxBytesPerPartition: maxBatchBytes,
      maxWaitTimeInMs: maxWaitMs,
      // A consumer that has failed is replaced by keepRunning.
      retry: { retries: 3, restartOnFailure: async () => false },
    })
    const { signal, abort } = childSignal(closing)
    try {
      const crashed = crashOf(consumer)
      await consumer.connect()
      await consumer.subscribe({ topics: [settings.topic], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: payload => takeBatch(payload, takePage, signal),
      })
      logger.info({ inbox: name, topic: settings.topic }, 'reading the inbox')
      await Promise.race([crashed, aborted(signal)])
    } finally {
      abort()
      await closeClient(client, () => consumer.disconnect())
    }
  }
  return keepRunning(read, (error, retryMs) =>
    logger.error({ err: error, inbox: name, retryMs }, 'the inbox cannot be read; trying again'),
  )
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
          ({ value, offset }): InboxMessage => ({
            content: value ?? Buffer.alloc(0),
            position: `${topic}/${partition}/${offset}`,
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
