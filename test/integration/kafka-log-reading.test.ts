/** Reading a Kafka log: much of it, what others wrote into it, and where it ends. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, quietKafka, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { requireService } from '../support/requires.ts'

const textOf = ({ event }: LogEntry) => Buffer.from(event).toString()

describe('reading a Kafka log', requireService('kafka'), () => {
  let broker: KafkaBroker
  before(async () => {
    broker = await startKafka()
  })
  after(() => broker?.stop())

  /** A log with an entry of ours, and a foreign producer that writes to its topic. */
  const openWithForeign = async (transactionalId?: string) => {
    const options = kafkaLogOptions(broker.brokers)
    const log = await openKafkaLog(options)
    await log.append(Buffer.from('ours'))
    const producer = quietKafka(broker.brokers).producer(
      transactionalId === undefined ? {} : { transactionalId, idempotent: true, maxInFlightRequests: 1 },
    )
    await producer.connect()
    const close = async () => {
      await producer.disconnect()
      await log.close()
    }
    return { log, producer, topic: options.topic, close }
  }
  const endOf = async (log: EventLog) => (await log.check(beforeFirst)).end

  test('gives 50,000 entries in pages, in order and without a gap', async () => {
    const log = await openKafkaLog(kafkaLogOptions(broker.brokers))
    const groups = Array.from({ length: 25 }, (_, group) =>
      Array.from({ length: 2_000 }, (_, index) =>
        Buffer.from(`event ${group * 2_000 + index} ${'x'.repeat(180)}`),
      ),
    )
    for (const group of groups) await log.appendAll(group)
    const { end } = await log.check(beforeFirst)
    const sizes: number[] = []
    const entries: LogEntry[] = []
    for await (const page of log.read(beforeFirst, new AbortController().signal)) {
      sizes.push(page.length)
      entries.push(...page)
      if ((page.at(-1)?.position ?? -1) === end) break
    }
    assert.ok(sizes.length >= 50 && Math.max(...sizes) <= 1_000)
    const events = entries.map(textOf).filter(text => text.startsWith('event'))
    assert.equal(events.length, 50_000)
    assert.ok(events.every((text, index) => text.startsWith(`event ${index} `)))
    assert.ok(entries.every(({ position }, index) => position === index))
    await log.close()
  })

  test('gives what others wrote like any entry: with a key, with headers, without a value', async () => {
    const { log, producer, topic, close } = await openWithForeign()
    const messages = [
      { value: 'same' },
      { value: 'same', key: 'key' },
      { value: 'same', headers: { name: 'value' } },
      { value: 'same', headers: { name: ['value', 'other'] } },
      { value: null },
      { value: '' },
    ]
    await producer.send({ topic, messages })
    const entries = (await readNow(log)).slice(1)
    assert.deepEqual(entries.map(textOf), ['same', 'same', 'same', 'same', '', ''])
    assert.equal(new Set(entries.map(({ digest }) => digest)).size, messages.length)
    for (const entry of entries) assert.equal((await log.check(entry)).known, 'confirmed')
    await close()
  })

  test('ends at the last entry, though records that nobody sees follow it', async () => {
    const { log, producer, topic, close } = await openWithForeign('foreign')
    const reader = startReading(log)
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'foreign' }] })
    await transaction.commit()
    await until('it was read', () => reader.entries.length === 2)
    const last = reader.entries.at(-1) as LogEntry
    assert.equal(textOf(last), 'foreign')
    await until('the end is where the reader is', async () => (await endOf(log)) === last.position)
    const position = await log.append(Buffer.from('later'))
    assert.equal(position, last.position + 2)
    await until('it goes on behind them', () => reader.entries.length === 3)
    assert.equal(await endOf(log), position)
    reader.stop()
    await reader.ended
    await close()
  })

  test('is not held back by a transaction of others that stays open', async () => {
    const { log, producer, topic, close } = await openWithForeign('forgotten')
    const reader = startReading(log)
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'foreign' }] })
    await log.append(Buffer.from('ours again'))
    await until('all was read', () => reader.entries.length === 3)
    assert.deepEqual(reader.entries.map(textOf), ['ours', 'foreign', 'ours again'])
    await transaction.abort()
    reader.stop()
    await reader.ended
    await close()
  })

  test('finds the epoch though control records are the last in the log', async () => {
    const { log, producer, topic, close } = await openWithForeign('last')
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'foreign' }] })
    await transaction.abort()
    const { epoch } = await log.check(beforeFirst)
    const adapter = await openKafkaLog({ ...kafkaLogOptions(broker.brokers), topic, writes: false })
    assert.equal((await adapter.check(beforeFirst)).epoch, epoch)
    await adapter.close()
    await close()
  })

  test('commits nothing', async () => {
    const { log, topic, close } = await openWithForeign()
    const reader = startReading(log)
    await until('it reads', () => reader.entries.length === 1)
    const { groups } = await broker.admin.listGroups()
    const ours = groups.filter(({ groupId }) => groupId.startsWith('rescind-test-'))
    assert.ok(ours.length > 0)
    for (const { groupId } of ours) {
      const offsets = await broker.admin.fetchOffsets({ groupId, topics: [topic] })
      assert.deepEqual(
        offsets.flatMap(({ partitions }) => partitions.map(({ offset }) => offset)),
        ['-1'],
      )
    }
    reader.stop()
    await reader.ended
    await close()
  })
})
