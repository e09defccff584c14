/**
 * What every event log must do when it is closed and opened again, and beside another log.
 *
 * @module
 */
import assert from 'node:assert/strict'
import type { EventLog, LogEntry } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import { readNow, startReading } from '../support/log-reading.ts'
import { bytes, type DriverTraits, type LogTest, type LogUnderTest, numbered } from './log-under-test.ts'

/** Adds these tests to the suite. */
export function testEventLogLife(
  logTest: LogTest,
  create: () => Promise<LogUnderTest>,
  traits: DriverTraits,
): void {
  logTest('ends its readers when it is closed, and takes nothing more', async log => {
    const reader = startReading(log)
    await log.append(bytes('one'))
    await until('it reads', () => reader.entries.length === 1)
    await log.close()
    await reader.ended
    await assert.rejects(log.append(bytes('two')), RescindError)
  })

  logTest('finishes the appends that were under way when it was closed', async (log, under) => {
    const appends = numbered(50).map(event => log.append(event))
    await log.close()
    const results = await Promise.allSettled(appends)
    const stored = results.filter(({ status }) => status === 'fulfilled').length
    const again = await under.reopen()
    assert.ok((await readNow(again)).length >= stored)
  })

  logTest(
    'is the same after it was opened again: entries, digests, epoch, start and end',
    async (log, under) => {
      await log.appendAll(numbered(30))
      const before = await readNow(log)
      const last = before.at(-1) as LogEntry
      const { epoch, start } = await log.check(last)
      const again = await under.reopen()
      assert.deepEqual(await readNow(again), before)
      const check = await again.check(last)
      assert.deepEqual([check.epoch, check.start, check.known], [epoch, start, 'confirmed'])
      if (!traits.beats) assert.equal(check.end, last.position)
      assert.ok((await again.append(bytes('next'))) > last.position)
      assert.equal((await readNow(again)).length, 31)
    },
  )

  logTest('has another digest when an event differs', async log => {
    await log.appendAll([bytes('same'), bytes('a')])
    const other = await create()
    try {
      const otherLog = await other.open()
      await otherLog.appendAll([bytes('same'), bytes('b')])
      const digests = async (one: EventLog) => (await readNow(one)).map(({ digest }) => digest)
      const [ours, theirs] = [await digests(log), await digests(otherLog)]
      assert.notEqual(ours[1], theirs[1])
      if (!traits.chainsDigests) return
      assert.equal(ours[0], theirs[0])
      await Promise.all([log.append(bytes('same')), otherLog.append(bytes('same'))])
      assert.notEqual((await digests(log))[2], (await digests(otherLog))[2])
    } finally {
      await other.destroy()
    }
  })
}
