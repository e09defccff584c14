/** A Kafka log while its broker is killed, stopped, or not there yet. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import type { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { createKeptLogger } from '../support/kept-logger.ts'
import { readNow } from '../support/log-reading.ts'
import { freePort } from '../support/ports.ts'
import { requireService } from '../support/requires.ts'

const textOf = ({ event }: LogEntry) => Buffer.from(event).toString()
const codeOf = (error: unknown) => (error as RescindError).code

describe('a Kafka log whose broker fails', requireService('kafka'), () => {
  let broker: KafkaBroker
  before(async () => {
    broker = await startKafka()
  })
  after(() => broker?.stop())

  /** Reads on as a follower does, from where it was, until it is stopped. */
  const follow = (log: EventLog) => {
    const stop = new AbortController()
    const entries: LogEntry[] = []
    const codes = new Set<string>()
    const reading = async () => {
      while (!stop.signal.aborted) {
        try {
          for await (const page of log.read(entries.at(-1) ?? beforeFirst, stop.signal)) entries.push(...page)
        } catch (error) {
          codes.add(codeOf(error))
        }
      }
    }
    return { entries, codes, ended: reading(), stop: () => stop.abort() }
  }

  test('holds what it acknowledged, once and in order, when the broker is killed and started again under load', async () => {
    const log = await openKafkaLog(kafkaLogOptions(broker.brokers, { appendTimeoutMs: 2_000 }))
    await log.append(Buffer.from('first'))
    const reader = follow(log)
    const acknowledged = new Map<string, number>()
    const refused = new Map<string, string>()
    let appending = true
    const appender = async (name: number) => {
      for (let next = 0; appending; next++) {
        const text = `appender ${name} event ${next}`
        await log.append(Buffer.from(text)).then(
          position => acknowledged.set(text, position),
          error => refused.set(text, codeOf(error)),
        )
      }
    }
    const appenders = Array.from({ length: 8 }, (_, name) => appender(name))
    for (let kill = 0; kill < 2; kill++) {
      const before = acknowledged.size
      await until('appends are acknowledged', () => acknowledged.size > before + 300, { timeoutMs: 60_000 })
      const refusedBefore = refused.size
      await broker.kill('SIGKILL')
      await until('appends fail', () => refused.size > refusedBefore)
      await broker.startAgain()
    }
    const before = acknowledged.size
    await until('appends are acknowledged again', () => acknowledged.size > before + 300, {
      timeoutMs: 60_000,
    })
    appending = false
    await Promise.all(appenders)

    const last = await log.append(Buffer.from('last'))
    await until('the reader has everything', () => (reader.entries.at(-1)?.position ?? -1) >= last)
    reader.stop()
    await reader.ended
    const stored = await readNow(log)
    for (const entries of [stored, reader.entries]) {
      const positions = new Map(entries.map(entry => [textOf(entry), entry.position]))
      for (const [text, position] of acknowledged) assert.equal(positions.get(text), position, text)
    }
    const texts = stored.map(textOf)
    assert.equal(new Set(texts).size, texts.length, 'nothing is there twice')
    assert.deepEqual(
      reader.entries.filter(entry => !textOf(entry).includes('rescind.beat')).map(({ position }) => position),
      stored.map(({ position }) => position),
    )
    for (const text of texts) {
      const refusal = refused.get(text)
      assert.ok(refusal === undefined || refusal === 'ERR_LOG_TIMEOUT', `${text} was stored after ${refusal}`)
    }
    assert.deepEqual(
      [...reader.codes].filter(code => code !== 'ERR_LOG_UNREACHABLE'),
      [],
    )
    await log.close()
  })

  test('does not take an append for a repetition of one that got no answer', async () => {
    const log = await openKafkaLog(kafkaLogOptions(broker.brokers, { appendTimeoutMs: 1_000 }))
    await log.append(Buffer.from('before'))
    broker.signal('SIGSTOP')
    await assert.rejects(log.append(Buffer.from('unknown')), { code: 'ERR_LOG_TIMEOUT' })
    broker.signal('SIGCONT')
    const position = await until('it appends again', () =>
      log.append(Buffer.from('later')).catch(() => undefined),
    )
    const texts = (await readNow(log)).map(entry => [entry.position, textOf(entry)])
    assert.deepEqual(texts.find(([at]) => at === position)?.[1], 'later')
    assert.ok(texts.filter(([, text]) => text === 'unknown').length <= 1)
    await log.close()
  })

  test('says that nothing was stored while no broker can be reached, works again, and closes at once', async () => {
    const kept = createKeptLogger()
    const log = await openKafkaLog(kafkaLogOptions(broker.brokers, { logger: kept.logger }))
    await log.append(Buffer.from('one'))
    const entries = await readNow(log)
    const reader = follow(log)
    await until('it reads', () => reader.entries.length > 0)
    await broker.kill('SIGKILL')
    await assert.rejects(log.append(Buffer.from('two')), { code: 'ERR_LOG_UNREACHABLE' })
    await assert.rejects(log.check(entries.at(-1) as LogEntry), { code: 'ERR_LOG_UNREACHABLE' })
    await broker.startAgain()
    await until('it appends again', () => log.append(Buffer.from('three')).catch(() => undefined))
    assert.deepEqual((await readNow(log)).map(textOf), ['one', 'three'])

    await broker.kill('SIGKILL')
    const append = log.append(Buffer.from('four')).catch(codeOf)
    reader.stop()
    await Promise.all([log.close(), reader.ended])
    assert.match(String(await append), /ERR_LOG_(UNREACHABLE|TIMEOUT)/)
    await assert.rejects(log.append(Buffer.from('five')), { code: 'ERR_LOG_UNREACHABLE' })
    await broker.startAgain()
    assert.deepEqual(
      kept.lines.filter(({ level }) => level === 'error'),
      [],
    )
  })

  test('waits for its broker at the start, and says so, until it is told to stop', async () => {
    const kept = createKeptLogger()
    const stop = new AbortController()
    const nowhere = [`127.0.0.1:${await freePort()}`]
    const options = kafkaLogOptions(nowhere, { logger: kept.logger, signal: stop.signal })
    const opening = openKafkaLog(options).catch(codeOf)
    const line = await until('it says so', () =>
      kept.lines.find(({ message }) => message === 'waiting for Kafka'),
    )
    assert.equal(line.level, 'warn')
    assert.match(String(line.fields.err), /ECONNREFUSED/)
    stop.abort()
    assert.equal(await opening, 'ERR_LOG_UNREACHABLE')
  })

  test('that answers only after the start is opened then', async () => {
    await broker.kill('SIGKILL')
    const kept = createKeptLogger()
    const opening = openKafkaLog(kafkaLogOptions(broker.brokers, { logger: kept.logger }))
    await until('it waits', () => kept.lines.some(({ message }) => message === 'waiting for Kafka'))
    await broker.startAgain()
    const log = await opening
    assert.ok((await log.append(Buffer.from('one'))) > 0)
    await log.close()
  })
})
