/** A Redis that is killed, and a network that breaks: what was acknowledged is there, and all else is said. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { beforeFirst, type EventLog } from '../../event-log/event-log.ts'
import type { RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { startFollowing } from '../support/log-following.ts'
import { readNow } from '../support/log-reading.ts'
import { type RedisOptions, type RunningRedis, startRedis } from '../support/redis.ts'
import { openLog } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const cleanUps: (() => Promise<void>)[] = []

const start = async (options?: RedisOptions): Promise<RunningRedis> => {
  const redis = await startRedis(options)
  cleanUps.push(redis.stop)
  return redis
}

const startProxy = async (port: number): Promise<TcpProxy> => {
  const proxy = await startTcpProxy(port)
  cleanUps.push(proxy.stop)
  return proxy
}

const open = async (port: number, options: Partial<RedisLogOptions> = {}) => {
  const under = await openLog({ url: `redis://127.0.0.1:${port}`, ...options })
  cleanUps.push(under.log.close)
  return under
}

const isReader = (line: string) => / cmd=xread /.test(line)

/** Appends `name 0`, `name 1`... until it is stopped; remembers what was acknowledged. */
const keepAppending = (log: EventLog, name: string) => {
  const acknowledged = new Map<number, string>()
  let stopped = false
  let refused = 0
  const append = async () => {
    for (let at = 0; !stopped; at += 1) {
      const text = `${name} ${at}`
      try {
        acknowledged.set(await log.append(bytes(text)), text)
      } catch (error) {
        assert.ok(
          error instanceof RescindError && /^ERR_LOG_(TIMEOUT|UNREACHABLE)$/.test(error.code),
          `${error}`,
        )
        refused += 1
        await new Promise(resolve => setImmediate(resolve))
      }
    }
  }
  const ended = append()
  return {
    acknowledged,
    refused: () => refused,
    stop: () => {
      stopped = true
      return ended
    },
  }
}

describe('the log in Redis, when things break', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('has everything that was acknowledged when Redis was killed under load, and readers get it once', async () => {
    const redis = await start({ persistence: 'always' })
    const { log } = await open(redis.port)
    const reader = startFollowing(log)
    const appenders = ['a', 'b', 'c', 'd'].map(name => keepAppending(log, name))
    const count = () => appenders.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
    for (let round = 0; round < 3; round += 1) {
      const [before, failures] = [count(), reader.failures()]
      await until('appends are acknowledged', () => count() > before + 200)
      await redis.kill('SIGKILL')
      await until('the reader has noticed', () => reader.failures() > failures)
      await redis.startAgain()
    }
    const before = count()
    await until('appends are acknowledged again', () => count() > before + 200)
    for (const appender of appenders) await appender.stop()
    const entries = await readNow(log)
    const texts = new Map(entries.map(({ position, event }) => [position, `${event}`]))
    for (const { acknowledged } of appenders)
      for (const [position, text] of acknowledged) assert.equal(texts.get(position), text)
    assert.ok(appenders.some(({ refused }) => refused() > 0))
    await until('the reader has read all', () => reader.entries.length >= entries.length)
    await reader.stop()
    assert.deepEqual(reader.entries, entries)
  })

  test('says that it may have been stored when the connection breaks before the answer', async () => {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const { log } = await open(proxy.port)
    await log.append(bytes('one'))
    await redis.cli('client', 'pause', '60000', 'write')
    const append = log.append(bytes('two'))
    append.catch(() => undefined)
    await until('Redis has the append', async () =>
      / cmd=eval /.test(await redis.cli('client', 'list', 'type', 'normal').then(blockedOf)),
    )
    await proxy.cut()
    await assert.rejects(append, { code: 'ERR_LOG_TIMEOUT', message: /may have been stored/ })
    await assert.rejects(log.append(bytes('three')), { code: 'ERR_LOG_UNREACHABLE' })
    await redis.cli('client', 'unpause')
    await proxy.restore()
    await until('it appends again', () => log.append(bytes('four')))
    const texts = (await readNow(log)).map(({ event }) => `${event}`)
    assert.deepEqual(
      texts.filter(text => text !== 'two'),
      ['one', 'four'],
    )
    assert.ok(texts.length <= 3, `${texts}`)
  })

  test('an append that is not answered in time is given up, and never sent again', async () => {
    const redis = await start()
    const { log } = await open(redis.port, { appendTimeoutMs: 200 })
    await log.append(bytes('one'))
    await redis.kill('SIGSTOP')
    await assert.rejects(log.append(bytes('two')), { code: 'ERR_LOG_TIMEOUT' })
    await redis.kill('SIGCONT')
    await until('it appends again', () => log.append(bytes('three')))
    const texts = (await readNow(log)).map(({ event }) => `${event}`)
    assert.deepEqual(texts, ['one', 'two', 'three'])
  })

  test('a connection that is only half there is noticed by checks and readers, and they go on at the next', async () => {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const { log } = await open(proxy.port)
    await log.append(bytes('one'))
    const reader = startFollowing(log)
    await until('it reads', () => reader.entries.length === 1)
    proxy.silence()
    await assert.rejects(log.check(beforeFirst), { code: 'ERR_LOG_UNREACHABLE' })
    await until('the reader has noticed', () => reader.failures() > 0)
    await proxy.restore()
    await until('it appends again', () => log.append(bytes('two')))
    await until('the reader has read it', () => reader.entries.length === 2)
    await reader.stop()
  })

  test('a reader goes on without gaps and repeats over connections that are cut again and again', async () => {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const direct = await open(redis.port)
    const { log } = await open(proxy.port)
    const reader = startFollowing(log)
    const appender = keepAppending(direct.log, 'event')
    for (let round = 0; round < 5; round += 1) {
      const [read, failures] = [reader.entries.length, reader.failures()]
      await until('it reads', () => reader.entries.length > read)
      await proxy.cut()
      await until('it has noticed', () => reader.failures() > failures)
      await proxy.restore()
    }
    await appender.stop()
    const entries = await readNow(direct.log)
    await until('it has read all', () => reader.entries.length >= entries.length)
    await reader.stop()
    assert.deepEqual(reader.entries, entries)
  })

  test('that is closed while Redis is silent closes', async () => {
    const redis = await start()
    const { log } = await open(redis.port, { appendTimeoutMs: 100 })
    const reader = startFollowing(log)
    await until('it waits', async () => (await redis.cli('client', 'list')).split('\n').some(isReader))
    await redis.kill('SIGSTOP')
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_TIMEOUT' })
    await log.close()
    await reader.stop()
  })

  test('a lost connection is logged once, and once when it is back, by host and port', async () => {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const { log, lines, logged } = await open(proxy.port)
    const linesWith = (text: string) => lines.filter(line => line.includes(text)).length
    for (let round = 1; round <= 2; round += 1) {
      await until('it is connected', () => log.append(bytes('one')))
      await proxy.cut()
      await until('it is lost', () => linesWith('is lost') === round)
      await assert.rejects(log.append(bytes('two')), { code: 'ERR_LOG_UNREACHABLE' })
      await proxy.restore()
      await until('it is back', () => linesWith('is back') === round)
    }
    assert.equal(linesWith('cannot be reached'), 0)
    assert.ok(logged().includes(`127.0.0.1:${proxy.port}`))
  })
})

const blockedOf = (clients: string): string =>
  clients
    .split('\n')
    .filter(line => / flags=\w*b/.test(line))
    .join('\n')
