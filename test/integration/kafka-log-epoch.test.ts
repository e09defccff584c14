/** The epoch of a Kafka log: founded once, kept in beats, another one after the topic was made anew. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { beforeFirst, type EventLog, type LogEntry, type LogPosition } from '../../event-log/event-log.ts'
import { type KafkaLogOptions, openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { settingsOfNewTopic } from '../../event-log/kafka/topic-settings.ts'
import type { RescindError } from '../../revocation/error.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { Beat } from '../../revocation/revocation.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, quietKafka, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { createKeptLogger } from '../support/kept-logger.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { requireService } from '../support/requires.ts'

const codec = createEventCodec()
const epochOf = async (log: EventLog) => (await log.check(beforeFirst)).epoch

describe('the epoch of a Kafka log', requireService('kafka'), () => {
  let broker: KafkaBroker
  const opened: EventLog[] = []
  before(async () => {
    broker = await startKafka()
  })
  after(async () => {
    await Promise.all(opened.map(log => log.close()))
    await broker?.stop()
  })

  const open = async (options: KafkaLogOptions) => {
    const log = await openKafkaLog(options)
    opened.push(log)
    return log
  }
  const epochSoon = (log: EventLog) => until('there is an epoch', () => epochOf(log))

  /** Everything in the log, beats too. */
  const readAll = async (log: EventLog): Promise<LogEntry[]> => {
    const { end } = await log.check(beforeFirst)
    const entries: LogEntry[] = []
    for await (const page of log.read(beforeFirst, new AbortController().signal)) {
      entries.push(...page)
      if ((page.at(-1)?.position ?? -1) >= end) break
    }
    return entries
  }
  const beatsOf = (entries: readonly LogEntry[]): Beat[] =>
    entries.map(({ event }) => codec.decode(event)).filter(event => event.kind === 'beat')

  const recreate = async (topic: string) => {
    await broker.admin.deleteTopics({ topics: [topic] })
    await until('the topic is gone', async () => !(await broker.admin.listTopics()).includes(topic))
    await broker.createTopic({ topic, numPartitions: 1, configEntries: settingsOfNewTopic(31 * 86_400, 1) })
  }

  /** Reads as a follower does: while the topic is away it tries again. Nothing may come. */
  const readUntilBroken = async (log: EventLog, after: LogPosition): Promise<never> => {
    for (;;) {
      const reader = startReading(log, after)
      const error = await reader.ended.catch((reason: RescindError) => reason)
      assert.equal(reader.entries.length, 0)
      if (error?.code !== 'ERR_LOG_UNREACHABLE') throw error
    }
  }

  const fill = async (topic: string, count: number) => {
    const producer = quietKafka(broker.brokers).producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const messages = Array.from({ length: count }, (_, index) => ({ value: `other ${index}` }))
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  test('is the same for revokers that found it at the same time', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const logs = await Promise.all([open(options), open(options), open(options)])
    await Promise.all(logs.map((log, index) => log.append(codec.encode(lifetime(index)))))
    const epochs = await Promise.all(logs.map(epochOf))
    assert.equal(new Set(epochs).size, 1)

    const entries = await readAll(logs[0] as EventLog)
    const beats = beatsOf(entries)
    assert.equal(beats.find(({ founding }) => founding)?.epoch, epochs[0])
    const repeated = beats.filter(({ founding }) => !founding)
    assert.equal(repeated.length, 3)
    assert.ok(repeated.every(({ epoch }) => epoch === epochs[0]))
    const firstAppend = entries.findIndex(({ event }) => codec.decode(event).kind !== 'beat')
    const firstRepeat = entries.findIndex(({ event }) => {
      const decoded = codec.decode(event)
      return decoded.kind === 'beat' && !decoded.founding
    })
    assert.ok(firstRepeat < firstAppend, 'nothing is appended before the epoch was repeated')
  })

  test('does not exist for an adapter before a revoker has founded it', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const adapter = await open({ ...options, writes: false })
    assert.deepEqual(await adapter.check(beforeFirst), {
      epoch: undefined,
      start: 0,
      end: -1,
      known: 'confirmed',
    })
    const revoker = await open(options)
    assert.equal(await epochSoon(adapter), await epochSoon(revoker))
  })

  test('is repeated while nothing is appended', async () => {
    const log = await open(kafkaLogOptions(broker.brokers, { beatMs: 50 }))
    const epoch = await epochSoon(log)
    await until('it beat several times', async () => (await log.check(beforeFirst)).end >= 5)
    const beats = beatsOf(await readAll(log))
    assert.ok(beats.length >= 5 && beats.every(beat => beat.epoch === epoch))
  })

  test('stays when retention has removed the beat that founded it', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const first = await open(options)
    const epoch = await epochSoon(first)
    await first.append(Buffer.from('one'))
    await first.close()
    const second = await open(options)
    const position = await second.append(Buffer.from('two'))

    // Without this kafkajs does not know who leads the partition.
    await broker.admin.fetchTopicOffsets(options.topic)
    await broker.admin.deleteTopicRecords({
      topic: options.topic,
      partitions: [{ partition: 0, offset: '3' }],
    })
    const check = await second.check({ position: 0, digest: 1n })
    assert.deepEqual([check.epoch, check.start, check.end, check.known], [epoch, 3, position, 'trimmed'])
    const adapter = await open({ ...options, writes: false })
    assert.equal(await epochOf(adapter), epoch)
    assert.ok((await readAll(adapter)).every(entry => entry.position >= 3))
    await assert.rejects(async () => {
      for await (const page of adapter.read({ position: 1, digest: 1n }, new AbortController().signal))
        assert.fail(`${page.length}`)
    }, /ERR_LOG_ROLLED_BACK|does not follow position 1/)
  })

  test('of a founding beat that lost the race is void', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const log = await open(options)
    const epoch = await epochSoon(log)
    const other = 'f'.repeat(32)
    await log.append(codec.encode({ kind: 'beat', epoch: other, founding: true, at: 1 }, '1'))
    assert.equal(await epochOf(await open({ ...options, writes: false })), epoch)
  })

  test('with a key is not taken from beats that were not signed with it', async () => {
    const options = kafkaLogOptions(broker.brokers)
    const unsigned = await open(options)
    await unsigned.append(Buffer.from('unsigned'))
    await unsigned.close()
    const key = 'k'.repeat(32)
    const signed = await open({ ...options, codec: createEventCodec(key) })
    await signed.append(Buffer.from('signed'))
    const epoch = await epochOf(signed)
    assert.ok(epoch !== undefined)
    assert.notEqual(epoch, await epochOf(await open({ ...options, writes: false })))
  })

  for (const records of [0, 500]) {
    test(`is another one in a topic that was made anew with ${records} records, which is noticed`, async () => {
      const kept = createKeptLogger()
      const options = kafkaLogOptions(broker.brokers, { logger: kept.logger })
      const revoker = await open(options)
      const adapter = await open({ ...options, writes: false })
      for (let count = 0; count < 20; count++) await revoker.append(Buffer.from(`event ${count}`))
      const entries = await readNow(revoker)
      const last: LogPosition = entries.at(-1) as LogEntry
      const { epoch } = await adapter.check(last)
      let broken: Error | undefined
      readUntilBroken(adapter, last).catch(error => {
        broken = error
      })

      await recreate(options.topic)
      if (records > 0) await fill(options.topic, records)
      const noticed = await until('the adapter notices', async () => {
        const check = await adapter.check(last)
        return check.known === 'confirmed' ? undefined : check
      })
      assert.equal(noticed.known, records > 0 ? 'different' : 'ahead')
      assert.equal(noticed.epoch, undefined)

      await until('the revoker has noticed', async () => (await revoker.check(last)).known !== 'confirmed')
      const position = await revoker.append(Buffer.from('after'))
      const after = await adapter.check(beforeFirst)
      assert.ok(after.epoch !== undefined && after.epoch !== epoch)
      assert.ok(after.end >= position)
      assert.deepEqual(
        (await readNow(adapter)).slice(records).map(({ event }) => Buffer.from(event).toString()),
        ['after'],
      )
      await fill(options.topic, 50)
      await until('the reader notices', () => broken !== undefined)
      assert.match(String(broken), /does not follow position/)
    })
  }
})

const lifetime = (seconds: number) => ({ kind: 'token-lifetime', seconds, declaredAt: 1 }) as const
