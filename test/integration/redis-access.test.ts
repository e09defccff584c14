/** Who may use the log in Redis, over TLS, and what Redis is warned about. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { afterEach, describe, test } from 'node:test'
import { beforeFirst } from '../../event-log/event-log.ts'
import type { RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import { readClientTls } from '../../runtime/client-tls.ts'
import { until } from '../support/condition.ts'
import { readNow } from '../support/log-reading.ts'
import { projectRoot } from '../support/project.ts'
import { startRedis } from '../support/redis.ts'
import { openLog } from '../support/redis-log.ts'
import { startTlsRedis, type TlsRedis } from '../support/redis-tls.ts'
import { requireService } from '../support/requires.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const password = 'hunter2-of-this-test'
const cleanUps: (() => Promise<void>)[] = []

const open = async (url: string, options: Partial<RedisLogOptions> = {}) => {
  const under = await openLog({ url, ...options })
  cleanUps.push(under.log.close)
  return under
}

/** The line of docs/event-log-redis.md that makes the user. */
const documentedUser = async (): Promise<string> => {
  const page = await readFile(`${projectRoot}/docs/event-log-redis.md`, 'utf8')
  const line = /^ACL SETUSER (rescind .*)$/m.exec(page)?.[1]
  assert.ok(line !== undefined)
  return `user ${line.replace('>PASSWORD', `>${password}`)}`
}

const startTls = async (...users: string[]): Promise<TlsRedis> => {
  const redis = await startTlsRedis(users)
  cleanUps.push(redis.stop)
  return redis
}

const tlsOf = ({ caFile }: TlsRedis) => readClientTls({ caFile }, 'eventLog.redis.tls')

const start = async (...args: string[]) => {
  const redis = await startRedis({ args })
  cleanUps.push(redis.stop)
  return redis
}

describe('access to the log in Redis', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('needs no more rights than docs/event-log-redis.md says, over TLS', async () => {
    const redis = await startTls(await documentedUser())
    const url = redis.url.replace('//', '//rescind@')
    const { log, logged } = await open(url, { password, tls: tlsOf(redis), waitReplicas: 0 })
    await log.appendAll([bytes('one'), bytes('two'), bytes('three')])
    const entries = await readNow(log)
    assert.equal(entries.length, 3)
    assert.equal((await log.check(entries[2]!)).known, 'confirmed')
    await log.confirm(entries[2]!)
    await log.trim!(2, entries[2]!)
    assert.equal((await readNow(log)).length, 2)
    await until('it has looked at the settings', () => logged().includes('appendonly is off'))
    assert.equal(await redis.cli('acl', 'log'), '')
    assert.ok(!logged().includes(password))
  })

  test('is refused with the wrong password, and the log says why without showing it', async () => {
    const redis = await startTls(await documentedUser())
    const wrong = `${password}-wrong`
    const { log, logged } = await open(redis.url, { username: 'rescind', password: wrong, tls: tlsOf(redis) })
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_UNREACHABLE' })
    assert.match(logged(), /WRONGPASS/)
    assert.ok(!logged().includes(wrong))
  })

  test('is refused to a server whose certificate nobody vouches for', async () => {
    const redis = await startTls(await documentedUser())
    const { log, logged } = await open(redis.url, { username: 'rescind', password })
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_UNREACHABLE' })
    assert.match(logged(), /self-signed certificate/)
  })

  test('without the right to write stores nothing and says so', async () => {
    const redis = await startTls(`user reader on >${password} ~* +@all -xadd`)
    const { log } = await open(redis.url, { username: 'reader', password, tls: tlsOf(redis) })
    await assert.rejects(log.append(bytes('one')), {
      code: 'ERR_LOG_WRITE',
      message: /nothing was stored: .*can't run this command/,
    })
    assert.equal(await redis.cli('exists', '{rescind}:log'), '0')
    assert.deepEqual((await log.check(beforeFirst)).end, -1)
  })

  test('without the right to wait for replicas is a warning, once', async () => {
    const redis = await startTls(`user rescind on >${password} ~* +@all -wait -config`)
    const { log, lines } = await open(redis.url, {
      username: 'rescind',
      password,
      tls: tlsOf(redis),
      waitReplicas: 1,
    })
    await log.append(bytes('one'))
    await log.append(bytes('two'))
    assert.equal(lines.filter(line => /^warn: .*WAIT is refused/.test(line)).length, 1)
    await until('CONFIG is refused too', () =>
      lines.some(line => /^warn: .*CONFIG GET is refused/.test(line)),
    )
  })
})

describe('a Redis that could lose revocations', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  const warningsOf = async (...args: string[]): Promise<readonly string[]> => {
    const redis = await start(...args)
    const { log, lines } = await open(redis.url)
    await log.append(bytes('one'))
    const commands = async () => redis.cli('info', 'commandstats')
    await until('it has looked', async () => /cmdstat_config\|get:calls=3/.test(await commands()))
    // What Redis had answered by then has been told when this ends.
    await log.check(beforeFirst)
    await redis.cli('ping')
    return lines.filter(line => line.startsWith('warn: '))
  }

  test('because it writes no append-only file gets a warning', async () => {
    const warnings = await warningsOf()
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /appendonly is off: .*since its last snapshot/)
  })

  test('because it flushes only now and then gets a warning that says how much', async () => {
    const everySecond = await warningsOf('--appendonly', 'yes', '--appendfsync', 'everysec')
    assert.match(everySecond.join(), /^warn: .*appendfsync is everysec: .*up to a second/)
    const never = await warningsOf('--appendonly', 'yes', '--appendfsync', 'no')
    assert.match(never.join(), /appendfsync is no: .*half a minute/)
  })

  test('because it evicts keys gets a warning', async () => {
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
    const warnings = await warningsOf(...durable, '--maxmemory-policy', 'allkeys-lru')
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /maxmemory-policy is allkeys-lru/)
    assert.deepEqual(await warningsOf(...durable), [])
  })
})
