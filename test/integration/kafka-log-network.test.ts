/** A Kafka log whose network fails between us and the broker, while others append. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { beforeFirst, type LogEntry } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { kafkaLogOptions } from '../support/kafka-log.ts'
import { readNow } from '../support/log-reading.ts'
import { freePort } from '../support/ports.ts'
import { requireService } from '../support/requires.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

describe('a Kafka log behind a network that fails', requireService('kafka'), () => {
  let broker: KafkaBroker
  let proxy: TcpProxy
  before(async () => {
    const port = await freePort()
    proxy = await startTcpProxy(port)
    const listener = { name: 'PROXIED', protocol: 'PLAINTEXT', port, advertisedPort: proxy.port } as const
    broker = await startKafka({ listener })
  })
  after(async () => {
    await broker?.stop()
    await proxy?.stop()
  })

  for (const [failure, fail] of [
    ['is cut', () => proxy.cut()],
    ['is silent', () => proxy.silence()],
  ] as const) {
    test(`is unreachable while it ${failure}, and then is read without a gap`, async () => {
      const direct = kafkaLogOptions(broker.brokers)
      const log = await openKafkaLog(direct)
      const far = await openKafkaLog({ ...direct, brokers: [`127.0.0.1:${proxy.port}`], writes: false })
      const stop = new AbortController()
      const entries: LogEntry[] = []
      const reading = (async () => {
        while (!stop.signal.aborted) {
          const pages = far.read(entries.at(-1) ?? beforeFirst, stop.signal)
          try {
            for await (const page of pages) entries.push(...page)
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'ERR_LOG_UNREACHABLE')
          }
        }
      })()
      const first = await log.append(Buffer.from('first'))
      const readThrough = (position: number) =>
        until('it was read', () => (entries.at(-1)?.position ?? -1) >= position, { timeoutMs: 60_000 })
      await readThrough(first)
      const known = entries.at(-1) as LogEntry
      assert.equal((await far.check(known)).known, 'confirmed')

      await fail()
      const unanswered = [far.check(known), far.confirm(known)]
      for (const answer of unanswered) await assert.rejects(answer, { code: 'ERR_LOG_UNREACHABLE' })
      await log.appendAll(Array.from({ length: 1_000 }, (_, index) => Buffer.from(`event ${index}`)))
      assert.equal(entries.at(-1), known)
      await proxy.restore()

      await readThrough(await log.append(Buffer.from('last')))
      stop.abort()
      await reading
      const texts = (read: readonly LogEntry[]) => read.map(({ position, digest }) => `${position} ${digest}`)
      const stored = await readNow(log)
      assert.equal(stored.length, 1_002)
      assert.deepEqual(texts(entries).slice(-1_002), texts(stored))
      await far.close()
      await log.close()
    })
  }
})
