/**
 * kafkajs: an idempotent producer that waits for all replicas, and a consumer.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import kafkajs, { type Kafka } from 'kafkajs'
import { quietKafka } from '../../../test/support/kafka.ts'
import type { LogPlace } from '../place.ts'
import type { BareClient } from './bare-client.ts'

/** As much as the log fetches at once. */
const fetchBytes = 4 * 1024 * 1024

/** Writes to another topic of the same broker. */
export async function openBareKafka({ brokers, topic }: LogPlace & { driver: 'kafka' }): Promise<BareClient> {
  const kafka = quietKafka(brokers)
  const target = `${topic}-bare`
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: target, numPartitions: 1 }] })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return {
    write: async events => {
      const messages = events.map(value => ({ value, partition: 0 }))
      await producer.send({ topic: target, acks: -1, messages })
    },
    readAll: async () => {
      const [partition] = await admin.fetchTopicOffsets(topic)
      return readUntil(kafka, topic, Number(partition?.high) - 1)
    },
    close: async () => {
      await producer.disconnect()
      await admin.disconnect()
    },
  }
}

async function readUntil(kafka: Kafka, topic: string, end: number): Promise<number> {
  const consumer = kafka.consumer({
    groupId: randomUUID(),
    maxBytesPerPartition: fetchBytes,
    maxWaitTimeInMs: 200,
  })
  let bytes = 0
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((done, fail) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error))
      const eachBatch = async ({ batch }: kafkajs.EachBatchPayload) => {
        for (const { value } of batch.messages) bytes += value?.length ?? 0
        if (Number(batch.lastOffset()) >= end) done()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(fail)
    })
    return bytes
  } finally {
    await consumer.disconnect()
  }
}
