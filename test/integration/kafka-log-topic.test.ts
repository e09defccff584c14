/** What the Kafka log demands of its topic, and what it tells those who can mend it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs from 'kafkajs'
import { beforeFirst } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { createKeptLogger } from '../support/kept-logger.ts'
import { requireService } from '../support/requires.ts'

const daySeconds = 86_400
const retentionMs = String(31 * daySeconds * 1000)
const fitSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': retentionMs,
  'message.timestamp.type': 'LogAppendTime',
  'compression.type': 'uncompressed',
}

describe('the topic of a Kafka log', requireService('kafka'), () => {
  let broker: KafkaBroker
  before(async () => {
    broker = await startKafka()
  })
  after(() => broker?.stop())

  const create = (topic: string, settings: Readonly<Record<string, string>>, numPartitions = 1) =>
    broker.createTopic({
      topic,
      numPartitions,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
    })

  const settingsOf = async (name: string) => {
    const { resources } = await broker.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
    })
    return new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    )
  }

  /** The message of the error with which opening a log on such a topic fails. */
  const refusal = async (settings: Readonly<Record<string, string>>, partitions = 1) => {
    const options = kafkaLogOptions(broker.brokers)
    await create(options.topic, settings, partitions)
    return refusalOf(options)
  }
  const refusalOf = async (options: Parameters<typeof openKafkaLog>[0]) => {
    const error = await openKafkaLog(options).then(
      log => log.close().then(() => assert.fail('it was opened')),
      error => error,
    )
    assert.ok(error instanceof RescindError && error.code === 'ERR_LOG_SETUP', String(error))
    return { message: error.message, topic: options.topic }
  }

  test('with two partitions is refused', async () => {
    const { message, topic } = await refusal(fitSettings, 2)
    assert.ok(message.includes(`the topic ${topic} has 2 partitions and must have exactly one`), message)
    assert.ok(message.includes('eventLog.kafka.topic'), message)
  })

  test('that is compacted is refused, with the command that mends it', async () => {
    const { message, topic } = await refusal({ ...fitSettings, 'cleanup.policy': 'compact' })
    const command = `kafka-configs --bootstrap-server ${broker.brokers[0]} --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=delete`
    assert.ok(message.includes('cleanup.policy is compact') && message.endsWith(command), message)
  })

  test('that keeps entries for too short a time is refused, with the command that mends it', async () => {
    const { message } = await refusal({ ...fitSettings, 'retention.ms': '86400000' })
    assert.match(message, /retention\.ms is 86400000, which is shorter than the longest token lifetime/)
    assert.ok(message.endsWith(`--add-config retention.ms=${retentionMs}`), message)
  })

  test('that takes the times of its producers, and one that is limited in size, are refused together', async () => {
    const { message } = await refusal({
      ...fitSettings,
      'message.timestamp.type': 'CreateTime',
      'retention.bytes': '1000000',
    })
    assert.match(message, /retention\.bytes is 1000000, .*; message\.timestamp\.type is CreateTime, /)
    assert.ok(
      message.endsWith('--add-config retention.bytes=-1,message.timestamp.type=LogAppendTime'),
      message,
    )
  })

  test('that takes what producers compress is refused, with the command that mends it', async () => {
    const { message } = await refusal({ ...fitSettings, 'compression.type': 'producer' })
    assert.ok(message.endsWith('--add-config compression.type=uncompressed'), message)
  })

  test('that holds a batch which nobody here can read is an error that says so', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const log = await openKafkaLog(options)
    await log.append(Buffer.from('readable'))
    await broker.admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: options.topic,
          configEntries: [{ name: 'compression.type', value: 'zstd' }],
        },
      ],
    })
    await log.append(Buffer.from('compressed by the broker'))
    const read = async () => {
      for await (const _ of log.read(beforeFirst, new AbortController().signal));
    }
    await assert.rejects(read(), { code: 'ERR_LOG_SETUP', message: /zstd, .*compression\.type=uncompressed/ })
    await log.close()
  })

  test('that was mended as the error says is accepted', async () => {
    const options = kafkaLogOptions(broker.brokers)
    await create(options.topic, { 'cleanup.policy': 'compact', 'retention.ms': '1000' })
    const { message } = await refusalOf(options)
    const changes = /--add-config (.*)$/.exec(message)?.[1]?.split(',') ?? []
    const configEntries = changes.map(change => {
      const [name, value] = change.split('=') as [string, string]
      return { name, value }
    })
    await broker.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: options.topic, configEntries }],
    })
    const log = await openKafkaLog(options)
    assert.equal(log.keptSeconds, 31 * daySeconds)
    await log.close()
  })

  test('that is missing is refused where it may not be created, with the command that creates it', async () => {
    const options = kafkaLogOptions(broker.brokers, { createTopic: undefined })
    const { message, topic } = await refusalOf(options)
    assert.ok(message.includes(`the topic ${topic} does not exist`), message)
    assert.ok(
      message.includes(`--create --topic ${topic} --partitions 1 --config cleanup.policy=delete`),
      message,
    )
    assert.ok(!(await broker.admin.listTopics()).includes(topic))
  })

  test('with a name that Kafka does not allow is refused', async () => {
    const { message } = await refusalOf(kafkaLogOptions(broker.brokers, { topic: 'no such/topic' }))
    assert.match(message, /its name is not allowed; set eventLog\.kafka\.topic/)
  })

  test('for which there are too few brokers is refused', async () => {
    const createTopic = { replicationFactor: 3, retentionSeconds: 31 * daySeconds }
    const { message } = await refusalOf(kafkaLogOptions(broker.brokers, { createTopic }))
    assert.match(message, /not so many brokers; set eventLog\.kafka\.replicationFactor/)
  })

  test('is created with the settings that it must have, and keeps entries that long', async () => {
    const options = kafkaLogOptions(broker.brokers, { createTopic: { retentionSeconds: 40 * daySeconds } })
    const log = await openKafkaLog(options)
    assert.equal(log.keptSeconds, 40 * daySeconds)
    const settings = await settingsOf(options.topic)
    assert.equal(settings.get('cleanup.policy'), 'delete')
    assert.equal(settings.get('retention.bytes'), '-1')
    assert.equal(settings.get('compression.type'), 'uncompressed')
    assert.equal(settings.get('message.timestamp.type'), 'LogAppendTime')
    assert.equal(settings.get('retention.ms'), String(40 * daySeconds * 1000))
    await log.close()
  })

  test('that keeps entries for ever is fit', async () => {
    const options = kafkaLogOptions(broker.brokers)
    await create(options.topic, { ...fitSettings, 'retention.ms': '-1' })
    const log = await openKafkaLog(options)
    assert.equal(log.keptSeconds, Number.POSITIVE_INFINITY)
    await log.close()
  })

  test('that becomes unfit while it is in use is an error in the log, and its retention is known', async () => {
    const kept = createKeptLogger()
    const log = await openKafkaLog(
      kafkaLogOptions(broker.brokers, { logger: kept.logger, settingsCheckMs: 50 }),
    )
    const topic = String(kept.lines.find(({ message }) => message.startsWith('created'))?.fields.topic)
    await broker.admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries({ ...fitSettings, 'retention.ms': '3600000' }).map(
            ([name, value]) => ({
              name,
              value,
            }),
          ),
        },
      ],
    })
    const line = await until('it was noticed', () => kept.lines.find(({ level }) => level === 'error'))
    assert.match(line.message, /retention\.ms is 3600000/)
    assert.equal(log.keptSeconds, 3600)
    await log.close()
  })

  test('that is deleted while it is in use is unreachable, and is not created again behind the operator', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const log = await openKafkaLog(options)
    await log.append(Buffer.from('one'))
    await broker.admin.deleteTopics({ topics: [options.topic] })
    await until('it is gone', async () => !(await broker.admin.listTopics()).includes(options.topic))
    await assert.rejects(log.check(beforeFirst), { code: 'ERR_LOG_UNREACHABLE', message: /does not exist/ })
    assert.ok(!(await broker.admin.listTopics()).includes(options.topic))
    await log.close()
  })
})
