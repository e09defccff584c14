/**
 * What every event log must do, as tests: a driver joins with one line in event-log.test.ts.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { appendBytesLimit, beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { testEventLogLife } from './event-log-life-suite.ts'
import { bytes, type DriverTraits, type LogTest, type LogUnderTest, numbered } from './log-under-test.ts'

const textsOf = (entries: readonly LogEntry[]): string[] =>
  entries.map(({ event }) => Buffer.from(event).toString())
const checkOf = (log: EventLog) => log.check(beforeFirst)
const epochOf = async (log: EventLog) => (await checkOf(log)).epoch
const endOf = async (log: EventLog) => (await checkOf(log)).end

const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code

const assertGrowing = (positions: readonly number[]): void => {
  for (const [index, position] of positions.entries()) {
    assert.ok(Number.isSafeInteger(position) && position > (positions[index - 1] ?? -1), `${positions}`)
  }
}

/** Runs the suite on a driver. */
export const testEventLog = (
  driver: string,
  create: () => Promise<LogUnderTest>,
  traits: DriverTraits,
): void => {
  /** A test with a log of its own. */
  const logTest: LogTest = (name, run) =>
    void test(name, async () => {
      const under = await create()
      try {
        await run(await under.open(), under)
      } finally {
        await under.destroy()
      }
    })

  describe(`the ${driver} event log`, () => {
    logTest('has an epoch, and each log another one', async log => {
      const other = await create()
      try {
        const otherLog = await other.open()
        await Promise.all([log.append(bytes('one')), otherLog.append(bytes('one'))])
        const [epoch, otherEpoch] = [await epochOf(log), await epochOf(otherLog)]
        assert.ok(epoch !== undefined && epoch.length > 0)
        assert.notEqual(otherEpoch, epoch)
        await log.append(bytes('two'))
        assert.equal(await epochOf(log), epoch)
      } finally {
        await other.destroy()
      }
    })

    logTest('that is empty ends before its first entry', async log => {
      const { start, end, known } = await checkOf(log)
      if (!traits.beats) assert.ok(end === beforeFirst.position && start > end)
      assert.equal(known, 'confirmed')
      assert.deepEqual(await readNow(log), [])
    })

    logTest('gives back what was appended, in order, with growing positions', async log => {
      const events = numbered(20)
      const positions: number[] = []
      for (const event of events) positions.push(await log.append(event))
      assertGrowing(positions)
      const entries = await readNow(log)
      assert.deepEqual(textsOf(entries), events.map(String))
      assert.deepEqual(
        entries.map(({ position }) => position),
        positions,
      )
      const last = entries.at(-1) as LogEntry
      const { start, end, known } = await log.check(last)
      assert.deepEqual([end, known], [last.position, 'confirmed'])
      assert.ok(traits.beats ? start < (positions[0] as number) : start === positions[0])
    })

    logTest('reads on after a position, which is not given again', async log => {
      const positions = await log.appendAll(numbered(10))
      const all = await readNow(log)
      assert.deepEqual(
        all.map(({ position }) => position),
        positions,
      )
      assert.deepEqual(textsOf(await readNow(log, all[3])), numbered(10).slice(4).map(String))
      assert.deepEqual(await readNow(log, all[9]), [])
    })

    logTest('confirms a position that was read, and no other that has its number', async log => {
      await log.appendAll(numbered(2))
      for (const { position, digest } of await readNow(log)) {
        await log.confirm({ position, digest })
        await assert.rejects(log.confirm({ position, digest: digest ^ 1n }), hasCode('ERR_LOG_ROLLED_BACK'))
      }
    })

    logTest('tells what became of a position that somebody knows', async log => {
      await log.appendAll(numbered(3))
      const entries = await readNow(log)
      const last = entries.at(-1) as LogEntry
      for (const entry of entries) assert.equal((await log.check(entry)).known, 'confirmed')
      const { position, digest } = last
      assert.equal((await log.check({ position, digest: digest ^ 1n })).known, 'different')
      assert.equal((await log.check({ position: position + 1, digest })).known, 'ahead')
    })

    logTest('refuses to read on after an entry that it does not hold', async log => {
      await log.appendAll(numbered(3))
      const [first, second] = (await readNow(log)) as [LogEntry, LogEntry]
      const other = { position: first.position, digest: first.digest ^ 1n }
      await assert.rejects(async () => {
        for await (const page of log.read(other, new AbortController().signal)) assert.fail(`${page.length}`)
      }, hasCode('ERR_LOG_ROLLED_BACK'))
      assert.deepEqual((await readNow(log, first))[0], second)
    })

    logTest('keeps any bytes as they are', async log => {
      const events = [
        Buffer.alloc(1),
        Buffer.from([0, 255, 10, 13, 0]),
        Buffer.alloc(60_000, 7),
        bytes('ä€𝄞'),
      ]
      await log.appendAll(events)
      const entries = await readNow(log)
      assert.deepEqual(
        entries.map(({ event }) => Buffer.from(event)),
        events,
      )
    })

    logTest('gives concurrent appenders positions of their own, and keeps each in order', async log => {
      const appenders = Array.from({ length: 10 }, async (_, appender) => {
        const positions: number[] = []
        for (const event of numbered(20, `appender ${appender}`)) positions.push(await log.append(event))
        assertGrowing(positions)
        return positions
      })
      const positions = (await Promise.all(appenders)).flat()
      assert.equal(new Set(positions).size, 200)
      const texts = textsOf(await readNow(log))
      for (let appender = 0; appender < 10; appender++) {
        const own = texts.filter(text => text.startsWith(`appender ${appender} `))
        assert.deepEqual(own, numbered(20, `appender ${appender}`).map(String))
      }
    })

    logTest('keeps the events of appendAll together and in order among other appends', async log => {
      const groups = Array.from({ length: 10 }, (_, group) => log.appendAll(numbered(15, `group ${group}`)))
      const positions = await Promise.all(groups)
      for (const own of positions) {
        assert.equal(own.length, 15)
        assertGrowing(own)
      }
      const groupsRead = textsOf(await readNow(log)).map(text => text.split(' ')[1])
      for (let first = 0; first < groupsRead.length; first += 15) {
        assert.equal(new Set(groupsRead.slice(first, first + 15)).size, 1)
      }
    })

    logTest(
      'stores none of an appendAll that is too large, and all of one that is just small enough',
      async log => {
        await assert.rejects(
          log.appendAll([bytes('first'), Buffer.alloc(appendBytesLimit)]),
          hasCode('ERR_EVENT_TOO_LARGE'),
        )
        assert.deepEqual(await readNow(log), [])
        const third = appendBytesLimit / 3
        assert.equal(
          (await log.appendAll([Buffer.alloc(third), Buffer.alloc(third), Buffer.alloc(third)])).length,
          3,
        )
        assert.equal((await readNow(log)).length, 3)
      },
    )

    logTest('refuses an event of 1 MB', async log => {
      await assert.rejects(log.append(Buffer.alloc(1_000_000)), hasCode('ERR_EVENT_TOO_LARGE'))
      assert.deepEqual(await readNow(log), [])
    })

    logTest('gives a reader what is there and then what is appended', async log => {
      await log.appendAll(numbered(5))
      const reader = startReading(log)
      await until('what is there was read', () => reader.entries.length === 5)
      await log.append(bytes('later'))
      await until('what came later was read', () => reader.entries.length === 6)
      assert.equal(textsOf(reader.entries)[5], 'later')
      reader.stop()
      await reader.ended
    })

    logTest(
      'gives a reader that fell behind everything, once and in order, while others append',
      async log => {
        const total = 4_000
        const reader = log.read(beforeFirst, new AbortController().signal)[Symbol.asyncIterator]()
        const texts: string[] = []
        const takePage = async () => {
          const { value } = await reader.next()
          texts.push(...textsOf(value as readonly LogEntry[]).filter(text => text.startsWith('event')))
        }
        const events = numbered(total)
        await log.appendAll(events.slice(0, 10))
        await takePage()
        for (let first = 10; first < total; first += 665)
          await log.appendAll(events.slice(first, first + 665))
        while (texts.length < total) await takePage()
        assert.deepEqual(texts, events.map(String))
        await reader.return?.()
      },
    )

    logTest('gives several readers the same', async log => {
      const readers = [startReading(log), startReading(log), startReading(log)]
      await log.appendAll(numbered(50))
      for (const reader of readers) {
        await until('all was read', () => reader.entries.length === 50)
        assert.deepEqual(reader.entries, readers[0]?.entries)
        reader.stop()
        await reader.ended
      }
    })

    logTest('shows at once, as its end and to readers, what it acknowledged', async log => {
      const reader = startReading(log)
      await Promise.all(
        numbered(200).map(async event => {
          const position = await log.append(event)
          assert.ok((await endOf(log)) >= position)
        }),
      )
      await until('all was read', () => reader.entries.length === 200)
      reader.stop()
      await reader.ended
    })

    logTest('ends a reader when its signal aborts, also one that had aborted before', async log => {
      const reader = startReading(log)
      await log.append(bytes('one'))
      await until('it reads', () => reader.entries.length === 1)
      reader.stop()
      await reader.ended
      for await (const page of log.read(beforeFirst, AbortSignal.abort()))
        assert.fail(`${page.length} entries`)
    })

    testEventLogLife(logTest, create, traits)
  })
}
