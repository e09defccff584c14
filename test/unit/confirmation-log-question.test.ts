/** What adapters are asked for is a version of the log as it is now, also when it has lost its tail. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { EventLog } from '../../event-log/event-log.ts'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import { questionOf } from '../../revoker/confirmation/log-question.ts'
import { clockAt } from '../support/clocks.ts'
import { until } from '../support/condition.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { block, bytesOf, plainCodec } from '../support/revocations.ts'

const followers: LogFollower[] = []
afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.close()
})

const event = (name: string) => bytesOf(block({ jti: name }, 1_000))

/** A follower that has read three entries. `sees` is the log as it reads it: it can be made to see nothing new. */
const startWith = async () => {
  const store = createMemoryLogStore()
  const log = store.open()
  await log.appendAll(['a', 'b', 'c'].map(event))
  let isBlind = false
  const sees: EventLog = {
    ...log,
    check: async known =>
      isBlind ? { epoch: store.epoch, start: 1, end: known.position, known: 'confirmed' } : log.check(known),
  }
  const follower = followLog({ log: sees, codec: plainCodec, graceSeconds: 0, clock: clockAt(() => 50_000) })
  followers.push(follower)
  await follower.caughtUp
  return { store, log, follower, blind: (value: boolean) => (isBlind = value) }
}

test('a position that was just appended is asked for with its digest and epoch', async () => {
  const { store, log, follower } = await startWith()
  const position = await log.append(event('d'))
  const { epoch, entries } = store
  assert.deepEqual(await questionOf(position, { log, follower }), {
    version: 4,
    digest: entries[3]?.digest,
    epoch,
  })
})

test('a position that was given again is not asked for with the digest of what is gone', async () => {
  const { store, log, follower, blind } = await startWith()
  // The follower has not noticed yet that its last two entries are gone.
  blind(true)
  store.rollBack(1)
  const position = await log.append(event('new'))
  assert.equal(position, 2)
  assert.equal(await questionOf(position, { log, follower }), undefined)
  blind(false)
  const question = await until('it was noticed', () => questionOf(position, { log, follower }))
  assert.equal(question.digest, store.entries[1]?.digest)
})

test('a position of a log that was wiped is not asked for', async () => {
  const { store, log, follower, blind } = await startWith()
  blind(true)
  store.wipe()
  await log.appendAll([event('new'), event('newer')])
  assert.equal(await questionOf(2, { log, follower }), undefined)
  blind(false)
})
