/** Single records of a Kafka log, read afresh, also where nobody's entries are. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { beforeFirst, type LogEntry } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { createRecordProbe } from '../../event-log/kafka/record-probe.ts'
import { type KafkaBroker, quietKafka, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { readNow } from '../support/log-reading.ts'
import { requireService } from '../support/requires.ts'

describe('single records of a Kafka log', requireService('kafka'), () => {
  let broker: KafkaBroker
  before(async () => {
    broker = await startKafka()
  })
  after(() => broker?.stop())

  /** A log with two entries, and what comes with it. */
  const openFilled = async () => {
    const options = kafkaLogOptions(broker.brokers)
    const log = await openKafkaLog(options)
    const positions = await log.appendAll([Buffer.from('one'), Buffer.from('two')])
    return { options, log, positions: positions as [number, number] }
  }

  test('are no entries where control records are, at the end of the log and before it', async () => {
    const { options, log } = await openFilled()
    const { topic } = options
    const producer = quietKafka(broker.brokers).producer({
      transactionalId: topic,
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'foreign' }] })
    await transaction.commit()
    const foreign = (await readNow(log)).at(-1) as LogEntry
    const control = { position: foreign.position + 1, digest: 1n }
    const answers = async () => [(await log.check(control)).known, (await log.check(foreign)).known]
    assert.deepEqual(await answers(), ['different', 'confirmed'])
    assert.equal(await log.append(Buffer.from('later')), control.position + 1)
    assert.deepEqual(await answers(), ['different', 'confirmed'])
    await producer.disconnect()
    await log.close()
  })

  test('are not read any more after the probe was closed, also if somebody waited for them', async () => {
    const { options, log, positions } = await openFilled()
    const probe = createRecordProbe(options, options.topic)
    assert.equal(`${(await probe.entryAt(positions[1]))?.event}`, 'two')
    const asked = [...positions, positions[0]].map(probe.entryAt)
    const answers = Promise.allSettled(asked)
    await probe.close()
    for (const answer of (await answers).slice(1)) {
      assert.equal(answer.status, 'rejected')
      assert.equal(answer.reason.code, 'ERR_LOG_UNREACHABLE')
    }
    await log.close()
  })

  test('confirm what was read, unless the log ends before it', async () => {
    const { log, positions } = await openFilled()
    const two = (await readNow(log)).at(-1) as LogEntry
    await log.confirm(beforeFirst)
    await log.confirm(two)
    const ahead = { ...two, position: positions[1] + 1 }
    await assert.rejects(log.confirm(ahead), { code: 'ERR_LOG_ROLLED_BACK' })
    await log.close()
  })
})
