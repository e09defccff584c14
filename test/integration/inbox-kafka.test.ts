/**
 * Inboxes that are Kafka topics with several partitions, on a real Kafka.
 *
 * @module
 */
import { after, before, describe, test } from 'node:test'
import kafkajs, { type Producer } from 'kafkajs'
import { until } from '../support/condition.ts'
import { type InboxUnderTest, testInbox, tokenMessage } from '../support/inbox-suite.ts'
import { type KafkaBroker, quietKafka, startKafka } from '../support/kafka.ts'
import { requireService } from '../support/requires.ts'

const numPartitions = 3

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
    await broker.admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
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
    await broker.admin.createTopics({ topics: [{ topic: later, numPartitions }], waitForLeaders: true })
    topic = later
    await send([tokenMessage('first')])
    await inbox.revoked('first')
  })
})
