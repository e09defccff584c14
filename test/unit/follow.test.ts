/** Following a log: nothing is passed over, nothing stops it, and it ends when the log or the follower does. */

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { beforeFirst, type EventLog } from '../../event-log/event-log.ts'
import { type FollowOptions, followLog, type LogFollower } from '../../event-log/follow.ts'
import { clockAt } from '../support/clocks.ts'
import { until } from '../support/condition.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { block, bytesOf, idOf, plainCodec, restore } from '../support/revocations.ts'

const endOf = async (log: EventLog) => (await log.check(beforeFirst)).end

const running: LogFollower[] = []
const follow = (log: EventLog, options: Partial<FollowOptions> = {}): LogFollower => {
  const follower = followLog({
    log,
    codec: plainCodec,
    graceSeconds: 0,
    clock: clockAt(() => 50_000),
    ...options,
  })
  running.push(follower)
  return follower
}

afterEach(async () => {
  for (const follower of running.splice(0)) await follower.close()
})

const revoked = (index: number) => bytesOf(block({ jti: `j${index}` }, 100))
const many = (count: number) => Array.from({ length: count }, (_, index) => revoked(index))

test('a follower is complete when it has read up to the end that it found, and not before', async () => {
  const store = createMemoryLogStore({ pageEntries: 7 })
  const log = store.open()
  await log.appendAll(many(100))
  const seen: boolean[] = []
  const follower = follow(log, { onApplied: () => seen.push(follower.complete) })
  assert.equal(follower.complete, false)
  assert.equal(follower.confirmedAtMs, Number.NEGATIVE_INFINITY)
  await follower.caughtUp
  assert.equal(follower.complete, true)
  assert.ok(Number.isFinite(follower.confirmedAtMs))
  assert.deepEqual(seen, Array(100).fill(false))
  assert.equal(follower.state.size, 100)
  assert.equal(follower.state.position, await endOf(log))
})

test('an empty log makes a follower complete too', async () => {
  await follow(createMemoryLogStore().open()).caughtUp
})

test('what is appended later is applied in order, and listeners are told', async () => {
  const log = createMemoryLogStore().open()
  const positions: number[] = []
  const follower = follow(log, { onApplied: ({ position }) => positions.push(position) })
  await follower.caughtUp
  let changes = 0
  const unsubscribe = follower.subscribe(() => changes++)
  const last = await log.append(revoked(1)).then(() => log.append(revoked(2)))
  await follower.reached(last)
  assert.deepEqual(positions, [1, 2])
  assert.ok(changes > 0)
  unsubscribe()
})

test('a restoration is not forgotten before what may repeat, for longer, what it restored was read', async () => {
  const revokedUntil = (expiresAt: number) => block({ sub: 'alice' }, expiresAt, idOf('repeated'))
  const log = createMemoryLogStore({ pageEntries: 1 }).open()
  const events = [revokedUntil(10), restore(revokedUntil(10)), revokedUntil(1_000)]
  await log.appendAll(events.map(bytesOf))
  const regular: (() => void)[] = []
  const follower = follow(log, {
    clock: {
      ...clockAt(() => 50_000),
      every: (_, action) => {
        regular.push(action)
        return () => undefined
      },
    },
    onApplied: () => {
      for (let times = 0; times < 3; times++) for (const action of regular) action()
    },
  })
  await follower.caughtUp
  assert.equal(follower.state.size, 0)
})

test('what was read is known as of when the log was asked, however long its answer took', async () => {
  const { check, ...rest } = createMemoryLogStore().open()
  let nowMs = 50_000
  const slow: EventLog = {
    ...rest,
    check: async known => {
      const answer = await check(known)
      nowMs += 3_600_000
      return answer
    },
  }
  const clock = { ...clockAt(() => nowMs), every: () => () => undefined }
  const follower = follow(slow, { clock })
  await follower.caughtUp
  assert.equal(follower.confirmedWallMs, 50_000)
})

test('an entry that cannot be understood is told and passed', async () => {
  const log = createMemoryLogStore().open()
  const problems: (string | undefined)[] = []
  const follower = follow(log, { onApplied: (_entry, { problem }) => problems.push(problem) })
  await log.appendAll([revoked(1), Buffer.from('strange'), revoked(2)])
  await follower.reached(3)
  assert.deepEqual(
    problems.map(problem => problem === undefined),
    [true, false, true],
  )
  assert.equal(follower.state.size, 2)
})

test('when reading fails it is told, and goes on where it was', async () => {
  const store = createMemoryLogStore({ pageEntries: 2 })
  const log = store.open()
  await log.appendAll(many(6))
  let fails = true
  const positions: number[] = []
  const flaky: EventLog = {
    ...log,
    async *read(after, signal) {
      for await (const page of log.read(after, signal)) {
        if (fails && (page[0]?.position ?? 0) > 2) throw new Error('the connection is gone')
        yield page
      }
    },
  }
  const follower = follow(flaky, {
    onApplied: ({ position }) => positions.push(position),
    onError: () => {
      fails = false
    },
  })
  await follower.reached(6)
  assert.deepEqual(positions, [1, 2, 3, 4, 5, 6])
})

test('a log that is closed before its follower ends it, and the process goes on', async () => {
  const log = createMemoryLogStore().open()
  const follower = follow(log)
  await follower.caughtUp
  await log.close()
  await new Promise(resolve => setImmediate(resolve))
  await follower.close()
})

test('what expired is forgotten after the grace period', async () => {
  const log = createMemoryLogStore().open()
  let nowMs = 109_000
  const follower = follow(log, { graceSeconds: 10, clock: clockAt(() => nowMs) })
  await log.append(revoked(1))
  await log.append(bytesOf(block({ jti: 'long' }, 1_000)))
  await follower.reached(2)
  assert.equal(follower.state.size, 2)
  nowMs = 110_000
  await until('it was forgotten', () => follower.state.size === 1)
})

test('a follower that starts on a log that was trimmed begins at what is still there', async () => {
  const store = createMemoryLogStore()
  const log = store.open()
  await log.appendAll(many(10))
  store.trim(6)
  const follower = follow(log)
  await follower.caughtUp
  assert.equal(follower.state.size, 5)
  assert.equal(follower.state.confirm(3, 0n), 'trimmed')
  assert.equal(follower.state.confirm(10, store.entries.at(-1)?.digest ?? 0n), 'confirmed')
})

test('a log in memory gives the positions of a tail that it lost again, with other digests', async () => {
  const store = createMemoryLogStore()
  const log = store.open()
  await log.appendAll(many(3))
  const before = store.entries.at(-1)
  store.rollBack(2)
  assert.equal(await endOf(log), 2)
  assert.equal(await log.append(revoked(9)), before?.position)
  assert.notEqual(store.entries.at(-1)?.digest, before?.digest)
})
