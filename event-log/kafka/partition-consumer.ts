/**
 * A consumer group of one that reads partition 0 and commits nothing. kafkajs has no `assign`, so each has a random group.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Batch, ConsumerCrashEvent, EachBatchPayload } from 'kafkajs'
import { closeClient, createKafkaClient, type KafkaConnectionOptions } from './client.ts'
import type { Fetched } from './continuity.ts'
import { isStillStarting } from './failure.ts'

/** What a consumer is told to do and whom it tells. */
export interface PartitionConsumerOptions {
  readonly connection: KafkaConnectionOptions
  readonly topic: string
  /** Most bytes of a fetch; a larger batch comes all the same. */
  readonly fetchBytes: number
  /** Called before the first fetch and whenever the place in the log was lost; it may seek. */
  readonly onJoined: () => void
  /**
   * Called after each new connection, and when a fetch is repeated that failed for another reason than those which end a
   * connection or make the consumer join anew: kafkajs mends both without telling.
   */
  readonly onInterrupted?: () => void
  /** Called with the records of each fetch; the next fetch waits until it has resolved. */
  readonly onFetched: (fetched: Fetched) => Promise<void>
  /** Called when a fetch brought nothing but control records, through this offset. */
  readonly onControlRecords?: (through: number) => void
  /** Called when it cannot go on. */
  readonly onFailed: (error: unknown) => void
}

/** A running consumer; it begins at the log's start unless it seeks. */
export interface PartitionConsumer {
  /** The next fetch begins here. */
  seek(offset: number): void
  /** From now on nobody is told of anything. Resolves within a second. */
  close(): Promise<void>
}

/**
 * How long a broker may hold back the answer to a fetch while there is nothing new, milliseconds. New records are
 * answered at once whatever this is; a seek and a close wait for it, and a fifth of a second is soon enough for both.
 */
const fetchWaitMs = 200
const heartbeatMs = 3_000
const retry = {
  retries: 8,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  restartOnFailure: async (error: Error) => isStillStarting(error),
}

/** Starts a consumer; errors of the start arrive at `onFailed` too. */
export function startPartitionConsumer(options: PartitionConsumerOptions): PartitionConsumer {
  const { connection, topic } = options
  const client = createKafkaClient(connection, {
    retry,
    ...(options.onInterrupted === undefined ? {} : { onConnected: options.onInterrupted }),
  })
  const consumer = client.kafka.consumer({
    groupId: `${connection.clientId}-${randomUUID()}`,
    minBytes: 1,
    maxWaitTimeInMs: fetchWaitMs,
    maxBytesPerPartition: options.fetchBytes,
    heartbeatInterval: heartbeatMs,
    allowAutoTopicCreation: false,
    // Nobody's open transaction may hold back revocations; ours are written without transactions.
    readUncommitted: true,
    retry,
  })
  let closed = false
  const fail = (error: unknown) => {
    if (!closed) options.onFailed(error)
  }

  const fetching = new Set<number>()
  consumer.on(consumer.events.FETCH_START, ({ payload: { nodeId } }) => {
    // There is one at a time for each broker, so the one before has failed.
    if (fetching.has(nodeId)) options.onInterrupted?.()
    fetching.add(nodeId)
  })
  consumer.on(consumer.events.FETCH, ({ payload: { nodeId } }) => fetching.delete(nodeId))
  consumer.on(consumer.events.GROUP_JOIN, () => {
    if (!closed) options.onJoined()
  })
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (!closed && payload.batchSize === 0) options.onControlRecords?.(Number(payload.lastOffset))
  })
  consumer.on(consumer.events.CRASH, ({ payload }: ConsumerCrashEvent) => {
    if (!payload.restart) fail(payload.error)
  })

  const eachBatch = async ({ batch, heartbeat }: EachBatchPayload) => {
    if (closed || batch.partition !== 0) return
    // A heartbeat that fails is repeated by kafkajs after the batch, and makes it join again then.
    const beating = setInterval(() => heartbeat().catch(() => undefined), heartbeatMs)
    try {
      await options.onFetched(fetchedOf(batch))
    } finally {
      clearInterval(beating)
    }
  }

  const start = async () => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch })
  }
  start().catch(fail)

  return {
    seek: offset => {
      if (!closed) consumer.seek({ topic, partition: 0, offset: String(offset) })
    },
    close: async () => {
      closed = true
      await closeClient(client, consumer.disconnect)
    },
  }
}

const fetchedOf = (batch: Batch): Fetched => ({
  // kafkajs has it, its types do not.
  from: Number((batch as unknown as { fetchedOffset: string }).fetchedOffset),
  through: Number(batch.lastOffset()),
  records: batch.messages,
})
