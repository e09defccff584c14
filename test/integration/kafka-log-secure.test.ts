/** A Kafka log on brokers that want TLS and a password. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type KafkaLogOptions, openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { makeSecureListener, type SecureListener } from '../support/kafka-secure-listener.ts'
import { createKeptLogger } from '../support/kept-logger.ts'
import { readNow } from '../support/log-reading.ts'
import { requireService } from '../support/requires.ts'

const username = 'rescind'
const password = 'correct-horse-battery'

describe('a Kafka log behind TLS and a password', requireService('kafka'), () => {
  let secure: SecureListener
  let broker: KafkaBroker
  before(async () => {
    secure = await makeSecureListener(username, password)
    broker = await startKafka({ listener: secure.listener })
  })
  after(async () => {
    await broker?.stop()
    await secure?.remove()
  })

  const optionsWith = (changes: Partial<KafkaLogOptions>) =>
    kafkaLogOptions([`127.0.0.1:${secure.listener.port}`], {
      tls: { ca: secure.ca },
      sasl: { mechanism: 'plain', username, password },
      ...changes,
    })

  test('appends and reads', async () => {
    const log = await openKafkaLog(optionsWith({}))
    const position = await log.append(Buffer.from('one'))
    const entries = await readNow(log)
    assert.deepEqual(
      entries.map(entry => [entry.position, Buffer.from(entry.event).toString()]),
      [[position, 'one']],
    )
    await log.close()
  })

  test('with a wrong password is refused at the start, and the password is not in the error', async () => {
    const sasl = { mechanism: 'plain', username, password: 'wrong-horse' } as const
    await assert.rejects(openKafkaLog(optionsWith({ sasl })), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_LOG_SETUP')
      assert.match(error.message, /refused user name or password; see eventLog\.kafka\.sasl/)
      assert.ok(!error.message.includes('wrong-horse'))
      return true
    })
  })

  test('whose certificate is not trusted is not used, and the log says why', async () => {
    const kept = createKeptLogger()
    const stop = new AbortController()
    const opening = openKafkaLog(optionsWith({ tls: true, logger: kept.logger, signal: stop.signal }))
    const refused = assert.rejects(opening, { code: 'ERR_LOG_UNREACHABLE' })
    const line = await until('it says so', () =>
      kept.lines.find(({ message }) => message === 'waiting for Kafka'),
    )
    assert.match(String(line.fields.err), /self-signed certificate/)
    stop.abort()
    await refused
  })
})
