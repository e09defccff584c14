/** What adapters are asked for is a version of the log as it is now, also when it has lost its tail. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { EventLog } from '../../event-log/event-log.ts'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import { createLogQuestions } from '../../revoker/confirmation/log-question.ts'
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
  const questions = createLogQuestions({ log, follower })
  return { store, log, follower, questions, blind: (value: boolean) => (isBlind = value) }
}

test('a position that was just appended is asked for with its digest and epoch', async () => {
  const { store, log, questions } = await startWith()
  const position = await log.append(event('d'))
  const { epoch, entries } = store
  assert.deepEqual(await questions.of(position), {
    version: 4,
    digest: entries[3]?.digest,
    epoch,
  })
})

test('a position that was given again is not asked for with the digest of what is gone', async () => {
  const { store, log, questions, blind } = await startWith()
  // The follower has not noticed yet that its last two entries are gone.
  blind(true)
  store.rollBack(1)
  const position = await log.append(event('new'))
  assert.equal(position, 2)
  assert.equal(await questions.of(position), undefined)
  blind(false)
  const question = await until('it was noticed', () => questions.of(position))
  assert.equal(question.digest, store.entries[1]?.digest)
})

test('a position of a log that was wiped is not asked for', async () => {
  const { store, log, questions, blind } = await startWith()
  blind(true)
  store.wipe()
  await log.appendAll([event('new'), event('newer')])
  assert.equal(await questions.of(2), undefined)
  blind(false)
})

test('the log is asked once for all that are asked for while it answers', async () => {
  const { log, follower } = await startWith()
  let checks = 0
  const counted = {
    check: (known: Parameters<EventLog['check']>[0]) => {
      checks += 1
      return log.check(known)
    },
  }
  const questions = createLogQuestions({ log: counted, follower })
  const asked = await Promise.all(Array.from({ length: 100 }, (_, index) => questions.of(1 + (index % 3))))
  assert.ok(asked.every(question => question !== undefined))
  assert.ok(checks <= 2, `${checks} times`)
})

test('a log that failed to answer is asked again for the next one', async () => {
  const { log, follower } = await startWith()
  let isAway = true
  const flaky = {
    check: async (known: Parameters<EventLog['check']>[0]) => {
      if (isAway) throw new Error('away')
      return log.check(known)
    },
  }
  const questions = createLogQuestions({ log: flaky, follower })
  await assert.rejects(questions.of(3), /away/)
  isAway = false
  assert.equal((await questions.of(3))?.version, 3)
})
