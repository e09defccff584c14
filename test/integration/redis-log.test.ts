/** The log in one Redis: what is stored, who else writes there, and what is told of it. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { chainedDigest } from '../../event-log/digest.ts'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { until } from '../support/condition.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { freePort } from '../support/ports.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { openLog, type RedisLogUnderTest } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'

const stream = '{rescind}:log'
const meta = '{rescind}:meta'
const bytes = (text: string): Buffer => Buffer.from(text)
const textsOf = (entries: readonly LogEntry[]): string[] => entries.map(({ event }) => `${event}`)
const positionsOf = (entries: readonly LogEntry[]): number[] => entries.map(({ position }) => position)

const assertChained = (entries: readonly LogEntry[]): void => {
  let { digest } = beforeFirst
  for (const entry of entries) {
    digest = chainedDigest(digest, entry.event)
    assert.equal(entry.digest, digest, `at ${entry.position}`)
  }
}

describe('the log in Redis', requireService('redis'), () => {
  let redis: RunningRedis
  const opened: RedisLogUnderTest[] = []

  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.stop())
  afterEach(async () => {
    for (const { log } of opened.splice(0)) await log.close()
    await redis.cli('flushall')
  })

  const open = async (): Promise<RedisLogUnderTest> => {
    const under = await openLog({ url: redis.url })
    opened.push(under)
    return under
  }
  const lengthOf = async () => Number(await redis.cli('xlen', stream))

  test('chains its digests, and its ids are the positions', async () => {
    const { log } = await open()
    assert.equal(await log.append(bytes('one')), 1)
    assert.deepEqual(await log.appendAll([bytes('two'), Buffer.from([0, 255, 13, 10])]), [2, 3])
    assertChained(await readNow(log))
    const { epoch, ...rest } = await log.check(beforeFirst)
    assert.deepEqual(rest, { start: 1, end: 3, known: 'confirmed' })
    assert.equal(await redis.cli('hget', meta, 'epoch'), epoch)
    assert.equal(await redis.cli('hget', meta, 'end'), '3')
  })

  test('stores events that arrive together in one step of Redis', async () => {
    const { log } = await open()
    await log.append(bytes('first'))
    const calls = async () =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.cli('info', 'commandstats'))?.[1] ?? 0)
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
    const other = await openLog({ url: redis.url, prefix: 'other' })
    opened.push(other)
    await log.append(bytes('ours'))
    await other.log.append(bytes('theirs'))
    assert.deepEqual(textsOf(await readNow(other.log)), ['theirs'])
    assert.notEqual((await other.log.check(beforeFirst)).epoch, (await log.check(beforeFirst)).epoch)
  })

  test('passes over what others added, tells of each once, and keeps its chain', async () => {
    const { log, foreign } = await open()
    await log.append(bytes('one'))
    await redis.cli('xadd', stream, '*', 'token', 'value')
    const far = await log.append(bytes('two'))
    assert.ok(far > 1_000_000_000_000)
    await redis.cli('xadd', stream, `${far}-3`, 'p', '0'.repeat(16), 'd', '0'.repeat(16), 'e', 'event')
    assert.equal(await log.append(bytes('three')), far + 1)
    const entries = await readNow(log)
    assert.deepEqual(textsOf(entries), ['one', 'two', 'three'])
    assertChained(entries)
    await readNow(log)
    assert.equal(foreign.length, 2)
    assert.match(foreign[0]!, /^\d+-0: .*fields/)
    assert.match(foreign[1]!, new RegExp(`^${far}-3: .*sequence`))
    assert.equal((await log.check(entries[1]!)).known, 'confirmed')
  })

  test('begins after what others added before it', async () => {
    const { log } = await open()
    await redis.cli('xadd', stream, '5-3', 'a', 'b')
    assert.equal((await log.check(beforeFirst)).epoch, undefined)
    assert.equal(await log.append(bytes('one')), 6)
    const { start, end } = await log.check(beforeFirst)
    assert.deepEqual([start, end], [6, 6])
    assert.deepEqual(positionsOf(await readNow(log)), [6])
  })

  test('stores nothing after an id beyond 2^53-1, says what to do, and goes on when that was done', async () => {
    const { log, lines, foreign } = await open()
    await log.append(bytes('one'))
    const reader = startReading(log)
    await redis.cli('xadd', stream, '9007199254740993-0', 'a', 'b')
    for (let attempt = 0; attempt < 2; attempt += 1)
      await assert.rejects(log.append(bytes('refused')), {
        code: 'ERR_LOG_EXHAUSTED',
        message: /XDEL.*XSETID/,
      })
    assert.equal(lines.filter(line => line.startsWith('error: ') && /XSETID/.test(line)).length, 1)
    await until('the reader has told of it', () => foreign.length > 0)

    await redis.cli('xdel', stream, '9007199254740993-0')
    await redis.cli('xsetid', stream, '1-0')
    assert.deepEqual(await log.appendAll([bytes('two'), bytes('three')]), [2, 3])
    await until('the reader went on', () => reader.entries.length === 3)
    assert.deepEqual(textsOf(reader.entries), ['one', 'two', 'three'])
    assert.equal(foreign.length, 1)
    reader.stop()
    await reader.ended
  })

  test('stores none of several events when there is not a position for each', async () => {
    const { log } = await open()
    await redis.cli('xadd', stream, '9007199254740989-0', 'a', 'b')
    await assert.rejects(log.appendAll([bytes('1'), bytes('2'), bytes('3')]), { code: 'ERR_LOG_EXHAUSTED' })
    assert.equal(await lengthOf(), 1)
    assert.deepEqual(await log.appendAll([bytes('1'), bytes('2')]), [9007199254740990, 9007199254740991])
    assert.deepEqual(positionsOf(await readNow(log)), [9007199254740990, 9007199254740991])
    await assert.rejects(log.append(bytes('3')), { code: 'ERR_LOG_EXHAUSTED' })
  })

  test('that was wiped has no epoch and does not know its positions, and what is appended then is another log', async () => {
    const { log } = await open()
    await log.appendAll([bytes('one'), bytes('two')])
    const { epoch } = await log.check(beforeFirst)
    const last = (await readNow(log)).at(-1)!
    await redis.cli('flushall')
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
    await redis.cli('del', stream)
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
    await redis.cli('flushall')
    await log.appendAll([bytes('a'), bytes('b'), bytes('c')])
    await failed
    assert.equal(reader.entries.length, 2)
  })

  test('a reader reads also what took the place of a foreign entry that it had passed over', async () => {
    const { log, foreign } = await open()
    await log.append(bytes('one'))
    await redis.cli('xadd', stream, '2-0', 'a', 'b')
    const reader = startReading(log)
    await until('it has passed over the foreign one', () => foreign.length === 1)
    // As a fail-over to a replica that lacks the foreign entry does.
    await redis.cli(
      'eval',
      `redis.call('xdel',KEYS[1],'2-0') redis.call('xsetid',KEYS[1],'1-0')`,
      '1',
      stream,
    )
    await log.append(bytes('two'))
    await log.append(bytes('three'))
    await until('it has read on', () => reader.entries.length === 3)
    assert.deepEqual(textsOf(reader.entries), ['one', 'two', 'three'])
    reader.stop()
    await reader.ended
  })

  test('a reader goes on over a new beginning within the stream, with a warning', async () => {
    const { log, lines } = await open()
    await log.appendAll([bytes('one'), bytes('two')])
    const reader = startReading(log)
    await until('it has read', () => reader.entries.length === 2)
    await redis.cli('del', meta)
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
    await redis.cli('xadd', stream, '11-0', 'a', 'b')
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
        const under = await openLog({ url: server.url })
        opened.push(under)
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
    await redis.cli('set', stream, 'value')
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_WRITE', message: /WRONGTYPE/ })
  })

  test('uses the database of the URL, and none when there is no such one', async () => {
    const third = await openLog({ url: `${redis.url}/3` })
    const none = await openLog({ url: `${redis.url}/99` })
    opened.push(third, none)
    await third.log.append(bytes('one'))
    assert.equal(await redis.cli('-n', '3', 'xlen', stream), '1')
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
    let redis: RunningRedis | undefined
    try {
      await assertUnreachable(log)
      redis = await startRedis({ port })
      await until('it appends', () => log.append(bytes('one')))
      assert.equal(lines.filter(line => /cannot be reached/.test(line)).length, 1)
      assert.equal(lines.filter(line => /is back/.test(line)).length, 1)
    } finally {
      await log.close()
      await redis?.stop()
    }
    await assert.rejects(log.append(bytes('closed')), unreachable)
  })
})
