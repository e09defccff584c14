/**
 * Inboxes that are Kafka topics with several partitions, on a real Kafka.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs, { type Producer } from 'kafkajs'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { type InboxUnderTest, testInbox, tokenMessage } from '../support/inbox-suite.ts'
import { type KafkaBroker, quietKafka, startKafka } from '../support/kafka.ts'
import { requireService } from '../support/requires.ts'

const numPartitions = 3
const isSetup = (error: unknown): error is RescindError =>
  error instanceof RescindError && error.code === 'ERR_LOG_SETUP'

describe('an inbox on a Kafka topic', requireService('kafka'), () => {
  let broker: KafkaBroker
  let producer: Producer
  let topics = 0
  let topic = ''
  const groupOf = (name: string) => `group-of-${name}`

  before(async () => {
    broker = await startKafka()
    producer = quietKafka(broker.brokers, { retry: { retries: 20, maxRetryTime: 500 } }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // What is sent again after a time-out must not be there twice.
      idempotent: true,
    })
    await producer.connect()
  })
  after(async () => {
    await producer?.disconnect()
    await broker?.stop()
  })

  const send = async (messages: readonly (string | Buffer)[]): Promise<void> => {
    await producer.send({
      topic,
      messages: messages.map((value, index) => ({ value, partition: index % numPartitions })),
    })
  }
  const unacknowledged = async (): Promise<number> => {
    const ends = await broker.admin.fetchTopicOffsets(topic)
    const [committed] = await broker.admin.fetchOffsets({ groupId: groupOf(topic), topics: [topic] })
    return ends.reduce((sum, { partition, offset }) => {
      const done = committed?.partitions.find(other => other.partition === partition)?.offset ?? '-1'
      return sum + Number(offset) - Math.max(0, Number(done))
    }, 0)
  }
  const create = async (): Promise<InboxUnderTest> => {
    topic = `inbox-${++topics}`
    await broker.createTopic({ topic, numPartitions })
    const kafka = {
      setting: 'test',
      brokers: broker.brokers,
      clientId: 'test',
      topic,
      groupId: groupOf(topic),
    }
    return { from: { kafka }, send, unacknowledged }
  }
  const inbox = testInbox(create)

  test('says at the start that what producers compress may stop it, and reads gzip', async () => {
    inbox.start()
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: [{ value: tokenMessage('gzip') }],
    })
    await inbox.revoked('gzip')
    assert.match(inbox.ingesting.warnings.join(), /^test: compression\.type of the topic .* is producer: /)
  })

  test('is stopped by a batch that it cannot read, says which and what to do, and goes on when that was done', async () => {
    const setCompression = (value: string) =>
      broker.admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topic,
            configEntries: [{ name: 'compression.type', value }],
          },
        ],
      })
    await setCompression('lz4')
    await send([tokenMessage('unreadable')])
    inbox.start()
    const error = await until('it says why', () => inbox.ingesting.errors.find(isSetup))
    assert.match(error.message, /^test: the topic .* lz4, which cannot be read here\. Set compression\.type=/)
    await setCompression('uncompressed')
    const partitions = (await broker.admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
      partition,
      offset: high,
    }))
    await broker.admin.deleteTopicRecords({ topic, partitions })
    await send([tokenMessage('readable')])
    await inbox.revoked('readable')
  })

  test('goes on when Kafka was killed and restarted', async () => {
    inbox.start()
    await send([tokenMessage('before')])
    await inbox.revoked('before')
    await broker.kill('SIGKILL')
    await broker.startAgain()
    await send([tokenMessage('after')])
    await inbox.revoked('after')
  })

  test('waits for a topic that is not there yet', async () => {
    const later = `${topic}-later`
    inbox.start({
      from: {
        kafka: {
          setting: 'test',
          brokers: broker.brokers,
          clientId: 'test',
          topic: later,
          groupId: groupOf(later),
        },
      },
    })
    await until('it was tried', () => inbox.ingesting.warnings.length > 0)
    await broker.createTopic({ topic: later, numPartitions })
    topic = later
    await send([tokenMessage('first')])
    await inbox.revoked('first')
  })
})
