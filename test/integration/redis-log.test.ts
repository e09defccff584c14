/** The log in one Redis: what is stored, who else writes there, and what is told of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { until } from '../support/condition.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { freePort } from '../support/ports.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { assertChained, openLog, type RedisLogUnderTest, useRedisLogs } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'

const stream = '{rescind}:log'
const meta = '{rescind}:meta'
const bytes = (text: string): Buffer => Buffer.from(text)
const textsOf = (entries: readonly LogEntry[]): string[] => entries.map(({ event }) => `${event}`)
const positionsOf = (entries: readonly LogEntry[]): number[] => entries.map(({ position }) => position)

describe('the log in Redis', requireService('redis'), () => {
  const { redis, open, lengthOf } = useRedisLogs()

  test('chains its digests, and its ids are the positions', async () => {
    const { log } = await open()
    assert.equal(await log.append(bytes('one')), 1)
    assert.deepEqual(await log.appendAll([bytes('two'), Buffer.from([0, 255, 13, 10])]), [2, 3])
    assertChained(await readNow(log))
    const { epoch, ...rest } = await log.check(beforeFirst)
    assert.deepEqual(rest, { start: 1, end: 3, known: 'confirmed' })
    assert.equal(await redis().cli('hget', meta, 'epoch'), epoch)
    assert.equal(await redis().cli('hget', meta, 'end'), '3')
  })

  test('stores events that arrive together in one step of Redis', async () => {
    const { log } = await open()
    await log.append(bytes('first'))
    const calls = async () =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await redis().cli('info', 'commandstats'))?.[1] ?? 0)
    const before = await calls()
    const positions = await Promise.all(Array.from({ length: 500 }, (_, at) => log.append(bytes(`${at}`))))
    assert.equal(new Set(positions).size, 500)
    assert.equal(await calls(), before + 1)
  })

  test('two processes that append give no position twice, and both read the same chain', async () => {
    const [one, two] = [await open(), await open()]
    const append = ({ log }: RedisLogUnderTest, name: string) =>
      Array.from({ length: 100 }, (_, at) => log.append(bytes(`${name} ${at}`)))
    const positions = await Promise.all([...append(one, 'one'), ...append(two, 'two')])
    assert.equal(new Set(positions).size, 200)
    const entries = await readNow(one.log)
    assertChained(entries)
    assert.deepEqual(await readNow(two.log), entries)
  })

  test('two prefixes are two logs', async () => {
    const { log } = await open()
    const other = await open({ prefix: 'other' })
    await log.append(bytes('ours'))
    await other.log.append(bytes('theirs'))
    assert.deepEqual(textsOf(await readNow(other.log)), ['theirs'])
    assert.notEqual((await other.log.check(beforeFirst)).epoch, (await log.check(beforeFirst)).epoch)
  })

  test('that was wiped has no epoch and does not know its positions, and what is appended then is another log', async () => {
    const { log } = await open()
    await log.appendAll([bytes('one'), bytes('two')])
    const { epoch } = await log.check(beforeFirst)
    const last = (await readNow(log)).at(-1)!
    await redis().cli('flushall')
    assert.deepEqual(await log.check(last), { epoch: undefined, start: 1, end: -1, known: 'ahead' })
    assert.equal(await log.append(bytes('other')), 1)
    assert.equal((await log.check(last)).known, 'ahead')
    await log.appendAll([bytes('and'), bytes('more')])
    const check = await log.check(last)
    assert.equal(check.known, 'different')
    assert.notEqual(check.epoch, epoch)
  })

  test('that lost only its stream is another log too', async () => {
    const { log } = await open()
    await log.append(bytes('one'))
    const { epoch } = await log.check(beforeFirst)
    const [last] = await readNow(log)
    await redis().cli('del', stream)
    assert.equal((await log.check(last!)).known, 'ahead')
    await log.append(bytes('one'))
    assert.notEqual((await log.check(last!)).epoch, epoch)
  })

  test('a reader that comes to another log notices it at its next entry', async () => {
    const { log } = await open()
    await log.appendAll([bytes('one'), bytes('two')])
    const reader = startReading(log)
    const failed = assert.rejects(reader.ended, { code: 'ERR_LOG_ROLLED_BACK' })
    await until('it has read', () => reader.entries.length === 2)
    await redis().cli('flushall')
    await log.appendAll([bytes('a'), bytes('b'), bytes('c')])
    await failed
    assert.equal(reader.entries.length, 2)
  })

  test('a reader goes on over a new beginning within the stream, with a warning', async () => {
    const { log, lines } = await open()
    await log.appendAll([bytes('one'), bytes('two')])
    const reader = startReading(log)
    await until('it has read', () => reader.entries.length === 2)
    await redis().cli('del', meta)
    assert.equal(await log.append(bytes('three')), 3)
    await until('it has read on', () => reader.entries.length === 3)
    assert.ok(lines.some(line => line.startsWith('warn: ') && /seam/.test(line)))
    reader.stop()
    await reader.ended
  })

  test('forgets what comes before a position, never the last entry, and says what became of positions', async () => {
    const { log } = await open()
    await log.appendAll(Array.from({ length: 10 }, (_, at) => bytes(`${at}`)))
    const entries = await readNow(log)
    await assert.rejects(log.trim!(4, { position: 9, digest: 1n }), { code: 'ERR_LOG_ROLLED_BACK' })
    await assert.rejects(log.trim!(4, { position: 11, digest: 1n }), { code: 'ERR_LOG_ROLLED_BACK' })
    assert.equal(await lengthOf(), 10)
    const last = entries[9]!
    await log.trim!(4, last)
    assert.deepEqual(positionsOf(await readNow(log)), [4, 5, 6, 7, 8, 9, 10])
    const check = await log.check(entries[1]!)
    assert.deepEqual([check.start, check.end, check.known], [4, 10, 'trimmed'])
    assert.equal((await log.check(entries[3]!)).known, 'confirmed')
    await redis().cli('xadd', stream, '11-0', 'a', 'b')
    await log.trim!(1_000, last)
    assert.deepEqual(positionsOf(await readNow(log)), [10])
    assert.equal((await log.check(last)).known, 'confirmed')
    assert.equal(await log.append(bytes('next')), 12)
  })

  test('a reader whose next entry was trimmed away is told', async () => {
    const { log } = await open()
    await log.appendAll(Array.from({ length: 2_500 }, (_, at) => bytes(`${at}`)))
    let read = 0
    const readAll = async () => {
      for await (const page of log.read(beforeFirst, new AbortController().signal)) {
        read += page.length
        await log.trim!(2_400, beforeFirst)
      }
    }
    await assert.rejects(readAll, { code: 'ERR_LOG_ROLLED_BACK' })
    assert.ok(read >= 1_000 && read < 2_400)
  })

  test('says that nothing was stored when Redis is full or refuses to write', async () => {
    const full = await startRedis({ args: ['--maxmemory', '1kb', '--maxmemory-policy', 'noeviction'] })
    const refusing = await startRedis({ args: ['--min-replicas-to-write', '1'] })
    try {
      for (const [server, message] of [
        [full, /OOM/],
        [refusing, /NOREPLICAS/],
      ] as const) {
        const under = await open({ url: server.url })
        await assert.rejects(under.log.append(bytes('one')), { code: 'ERR_LOG_WRITE', message })
        assert.equal(await server.cli('exists', stream), '0')
      }
    } finally {
      await full.stop()
      await refusing.stop()
    }
  })

  test('says so when the keys hold something else', async () => {
    const { log } = await open()
    await redis().cli('set', stream, 'value')
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_WRITE', message: /WRONGTYPE/ })
  })

  test('uses the database of the URL, and none when there is no such one', async () => {
    const third = await open({ url: `${redis().url}/3` })
    const none = await open({ url: `${redis().url}/99` })
    await third.log.append(bytes('one'))
    assert.equal(await redis().cli('-n', '3', 'xlen', stream), '1')
    assert.equal(await lengthOf(), 0)
    await assert.rejects(none.log.append(bytes('one')), { code: 'ERR_LOG_UNREACHABLE' })
    assert.match(none.logged(), /DB index is out of range/)
  })
})

describe('Redis that is not there', requireService('redis'), () => {
  const unreachable = { code: 'ERR_LOG_UNREACHABLE' }
  const assertUnreachable = async (log: EventLog) => {
    await assert.rejects(log.append(bytes('one')), unreachable)
    await assert.rejects(log.check(beforeFirst), unreachable)
    await assert.rejects(log.trim!(1, beforeFirst), unreachable)
    await assert.rejects(startReading(log).ended, unreachable)
  }

  test('does not keep the log from being opened; it is used as soon as it is there', async () => {
    const port = await freePort()
    const { log, lines } = await openLog({ url: `redis://127.0.0.1:${port}` })
    let late: RunningRedis | undefined
    try {
      await assertUnreachable(log)
      late = await startRedis({ port })
      await until('it appends', () => log.append(bytes('one')))
      assert.equal(lines.filter(line => /cannot be reached/.test(line)).length, 1)
      assert.equal(lines.filter(line => /is back/.test(line)).length, 1)
    } finally {
      await log.close()
      await late?.stop()
    }
    await assert.rejects(log.append(bytes('closed')), unreachable)
  })
})
