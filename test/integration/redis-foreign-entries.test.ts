/** What others add to the stream of the log in Redis: it is passed over, and nothing is lost by it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { beforeFirst, type LogEntry } from '../../event-log/event-log.ts'
import { until } from '../support/condition.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { assertChained, useRedisLogs } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'

const stream = '{rescind}:log'
const bytes = (text: string): Buffer => Buffer.from(text)
const textsOf = (entries: readonly LogEntry[]): string[] => entries.map(({ event }) => `${event}`)
const positionsOf = (entries: readonly LogEntry[]): number[] => entries.map(({ position }) => position)

describe('the log in Redis to which others add', requireService('redis'), () => {
  const { redis, open, lengthOf } = useRedisLogs()

  test('passes over what others added, tells of each once, and keeps its chain', async () => {
    const { log, foreign } = await open()
    await log.append(bytes('one'))
    await redis().cli('xadd', stream, '*', 'token', 'value')
    const far = await log.append(bytes('two'))
    assert.ok(far > 1_000_000_000_000)
    await redis().cli('xadd', stream, `${far}-3`, 'p', '0'.repeat(16), 'd', '0'.repeat(16), 'e', 'event')
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

  test('keeps what looks like an entry and was read as one, also while it is the last', async () => {
    const { log } = await open()
    await log.append(bytes('one'))
    const [one] = (await readNow(log)) as [LogEntry]
    const previous = one.digest.toString(16).padStart(16, '0')
    const reader = startReading(log)
    await redis().cli('xadd', stream, '7-0', 'p', previous, 'd', '0123456789abcdef', 'e', 'alike')
    await until('it was read', () => reader.entries.length === 2)
    const alike = reader.entries[1] as LogEntry
    assert.equal((await log.check(alike)).known, 'confirmed')
    await log.confirm(alike)
    await log.trim!(1, alike)
    assert.equal(await log.append(bytes('two')), 8)
    await until('the next one was read', () => reader.entries.length === 3)
    assert.equal((await log.check(alike)).known, 'confirmed')
    reader.stop()
    await reader.ended
  })

  test('begins after what others added before it', async () => {
    const { log } = await open()
    await redis().cli('xadd', stream, '5-3', 'a', 'b')
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
    await redis().cli('xadd', stream, '9007199254740993-0', 'a', 'b')
    for (let attempt = 0; attempt < 2; attempt += 1)
      await assert.rejects(log.append(bytes('refused')), {
        code: 'ERR_LOG_EXHAUSTED',
        message: /XDEL.*XSETID/,
      })
    assert.equal(lines.filter(line => line.startsWith('error: ') && /XSETID/.test(line)).length, 1)
    await until('the reader has told of it', () => foreign.length > 0)

    await redis().cli('xdel', stream, '9007199254740993-0')
    await redis().cli('xsetid', stream, '1-0')
    assert.deepEqual(await log.appendAll([bytes('two'), bytes('three')]), [2, 3])
    await until('the reader went on', () => reader.entries.length === 3)
    assert.deepEqual(textsOf(reader.entries), ['one', 'two', 'three'])
    assert.equal(foreign.length, 1)
    reader.stop()
    await reader.ended
  })

  test('stores none of several events when there is not a position for each', async () => {
    const { log } = await open()
    await redis().cli('xadd', stream, '9007199254740989-0', 'a', 'b')
    await assert.rejects(log.appendAll([bytes('1'), bytes('2'), bytes('3')]), { code: 'ERR_LOG_EXHAUSTED' })
    assert.equal(await lengthOf(), 1)
    assert.deepEqual(await log.appendAll([bytes('1'), bytes('2')]), [9007199254740990, 9007199254740991])
    assert.deepEqual(positionsOf(await readNow(log)), [9007199254740990, 9007199254740991])
    await assert.rejects(log.append(bytes('3')), { code: 'ERR_LOG_EXHAUSTED' })
  })

  test('a reader reads also what took the place of a foreign entry that it had passed over', async () => {
    const { log, foreign } = await open()
    await log.append(bytes('one'))
    await redis().cli('xadd', stream, '2-0', 'a', 'b')
    const reader = startReading(log)
    await until('it has passed over the foreign one', () => foreign.length === 1)
    // As a fail-over to a replica that lacks the foreign entry does.
    await redis().cli(
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
})
