/** A follower on a log that loses its tail, is replaced or trimmed: it notices, reads it again, and forgets nothing. */

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { type FollowOptions, followLog, type LogFollower } from '../../event-log/follow.ts'
import { matchKey, matchKeyText } from '../../revocation/key.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import { clockAt } from '../support/clocks.ts'
import { until } from '../support/condition.ts'
import { createMemoryLogStore, type MemoryLogStore } from '../support/memory-log.ts'
import { block, bytesOf, cut, declare, lifetime, plainCodec, restore } from '../support/revocations.ts'

const followers: LogFollower[] = []

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.close()
})

const follow = async (store: MemoryLogStore, options: Partial<FollowOptions> = {}): Promise<LogFollower> => {
  const follower = followLog({
    log: store.open(),
    codec: plainCodec,
    graceSeconds: 0,
    clock: clockAt(() => 50_000),
    ...options,
  })
  followers.push(follower)
  await follower.caughtUp
  return follower
}

const revoked = (name: string, expiresAt = 1_000) => block({ jti: name }, expiresAt)
const append = (store: MemoryLogStore, ...events: Parameters<typeof bytesOf>[0][]) =>
  store.open().appendAll(events.map(bytesOf))
const entryOf = ({ state }: LogFollower, { match }: Revocation) => state.entry(matchKey(match, false).key)
const isLive = (follower: LogFollower, revocation: Revocation) =>
  (entryOf(follower, revocation)?.expiresAt ?? 0) > 50

const [a, b, c] = [revoked('a'), revoked('b'), revoked('c')]

test('a tail that was lost is noticed while nothing is read, and what it held stays', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b, c)
  const reasons: string[] = []
  const follower = await follow(store, { onRestart: reason => reasons.push(reason) })
  store.rollBack(1)
  await until('it was noticed', () => follower.restarts === 1 && follower.complete)
  assert.deepEqual(reasons, ['rolled back'])
  assert.equal(follower.rollbacks, 1)
  assert.equal(follower.state.position, 1)
  assert.ok([a, b, c].every(one => isLive(follower, one)))
})

test('positions that were given again are read, with what the follower had read at them before', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b)
  const follower = await follow(store)
  store.rollBack(1)
  await append(store, c, revoked('d'), revoked('e'))
  await until('it was noticed', () => follower.restarts === 1 && follower.complete)
  assert.equal(follower.state.position, 4)
  assert.ok([a, b, c, revoked('d'), revoked('e')].every(one => isLive(follower, one)))
  assert.equal(follower.state.confirm(2, store.entries[1]?.digest ?? 0n), 'confirmed')
})

test('a log that was wiped is not complete before somebody has appended to it, and then has another epoch', async () => {
  const store = createMemoryLogStore()
  await append(store, a)
  const follower = await follow(store)
  const { epoch } = follower.state
  store.wipe()
  await append(store, b)
  await until('it was noticed', () => follower.restarts === 1 && follower.complete)
  assert.notEqual(follower.state.epoch, epoch)
  assert.ok(isLive(follower, a) && isLive(follower, b))
})

test('a restoration that was lost with the tail no longer restores', async () => {
  const store = createMemoryLogStore()
  await append(store, a, restore(a))
  const follower = await follow(store)
  assert.ok(!isLive(follower, a))
  store.rollBack(1)
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  assert.ok(isLive(follower, a))
})

test('a restoration that the log holds restores also what was known of before', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b)
  const follower = await follow(store)
  store.rollBack(1)
  await append(store, restore(a), restore(b))
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  assert.ok(!isLive(follower, a) && !isLive(follower, b))
})

test('what only the follower knows does not pass for something that the log holds', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b)
  const follower = await follow(store)
  store.rollBack(1)
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  const times = { expiresAt: 900, issuedBefore: 2 ** 32 - 1 }
  assert.ok(follower.state.covers(matchKey(a.match, false).key, times))
  assert.ok(!follower.state.covers(matchKey(b.match, false).key, times))
  assert.ok(isLive(follower, b))
})

test('a log that says less of a revocation than was lost does not pass for one that says all of it', async () => {
  const store = createMemoryLogStore()
  const short = block({ jti: 'a' }, 100, a.id)
  await append(store, short, a)
  const follower = await follow(store)
  store.rollBack(1)
  await until('it was noticed', () => follower.restarts === 1 && follower.complete)
  const key = matchKey(a.match, false).key
  const timesOf = (expiresAt: number) => ({ expiresAt, issuedBefore: 2 ** 32 - 1 })
  assert.equal(entryOf(follower, a)?.expiresAt, 1_000)
  assert.equal(follower.state.covers(key, timesOf(1_000)), false)
  assert.equal(follower.state.covers(key, timesOf(100)), true)
  await append(store, restore(short))
  await follower.reached(2)
  assert.equal(entryOf(follower, a)?.expiresAt, 0)
})

test('what the log says again after it declared a lifetime is told to those who resume from before that', async () => {
  const store = createMemoryLogStore()
  const old = cut({ jti: 'a' }, 40)
  await append(store, lifetime(200), old)
  const follower = await follow(store)
  store.wipe()
  await append(store, lifetime(300), b, c, old)
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  const { text } = matchKeyText(old.match, true)
  assert.ok(Array.from(follower.state.changedAfter(3), row => row.text).includes(text))
  assert.deepEqual([...follower.state.leftovers()], [])
})

test('what is left over is in the full state, and goes when it expires', async () => {
  const store = createMemoryLogStore()
  let nowMs = 50_000
  await append(store, a, revoked('short', 100))
  const follower = await follow(store, { clock: clockAt(() => nowMs) })
  store.wipe()
  await append(store, b)
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  assert.equal([...follower.state.all()].length, 3)
  assert.equal([...follower.state.changedAfter(-1)].length, 1)
  nowMs = 200_000
  await until('it was forgotten', () => follower.state.size === 2)
})

test('a claim set counts against the limit of the log that declares it, and only there', async () => {
  const store = createMemoryLogStore()
  const sets = (name: string) =>
    Array.from({ length: 16 }, (_, index) => declare(['sub', `${name}${index}`], false))
  await append(store, ...sets('old'))
  const problems: (string | undefined)[] = []
  const follower = await follow(store, { onApplied: (_entry, { problem }) => problems.push(problem) })
  const custom = (name: string) => block({ sub: 'x', [name]: '1' }, 1_000)
  await append(store, custom('old3'))
  await follower.reached(17)
  store.wipe()
  await append(store, ...sets('new'), custom('new15'), custom('old3'))
  await until('it was read again', () => follower.restarts === 1 && follower.complete)
  assert.deepEqual(problems.slice(-2), [undefined, 'claim_set_undeclared'])
  assert.ok(problems.slice(0, -1).every(problem => problem === undefined))
})

test('a log that was trimmed past what was read is read from its start, which is no accident', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b)
  const follower = await follow(store)
  const { state } = follower
  await follower.close()
  await append(store, c, a, b)
  store.trim(4)
  const reasons: string[] = []
  const again = await follow(store, { state, onRestart: reason => reasons.push(reason) })
  await until('it was read', () => again.complete)
  assert.deepEqual(reasons, ['trimmed'])
  assert.equal(again.rollbacks, 0)
})

test('what a follower knows is kept before it counts as complete', async () => {
  const store = createMemoryLogStore()
  await append(store, a)
  const steps: string[] = []
  let release: () => void = () => undefined
  const follower = followLog({
    log: store.open(),
    codec: plainCodec,
    graceSeconds: 0,
    onApplied: () => steps.push('applied'),
    beforeComplete: () => {
      steps.push('keeping')
      return new Promise(resolve => {
        release = resolve
      })
    },
  })
  followers.push(follower)
  await until('it is kept', () => steps.length === 2)
  assert.deepEqual(steps, ['applied', 'keeping'])
  assert.equal(follower.complete, false)
  release()
  await follower.caughtUp
  assert.equal(follower.complete, true)
})

test('an end counts as reached only when the log was asked again there', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b)
  const log = store.open()
  let asked = 0
  const follower = followLog({
    log: {
      ...log,
      // The log loses its tail after the reader has got it, and before the log is asked there.
      check: async known => {
        asked += 1
        if (known.position === 2 && asked > 1) store.rollBack(1)
        return log.check(known)
      },
    },
    codec: plainCodec,
    graceSeconds: 0,
    clock: clockAt(() => 50_000),
  })
  followers.push(follower)
  await follower.caughtUp
  assert.equal(follower.rollbacks, 1)
  assert.equal(follower.state.position, 1)
})

test('who waits for a position that was lost is told', async () => {
  const store = createMemoryLogStore()
  await append(store, a, b, c)
  const follower = await follow(store)
  const reached = follower.reached(10)
  store.rollBack(1)
  assert.equal(await reached, false)
})

test('a state that cannot be kept is not complete until it can', async () => {
  const store = createMemoryLogStore()
  await append(store, a)
  const errors: unknown[] = []
  const follower = followLog({
    log: store.open(),
    codec: plainCodec,
    graceSeconds: 0,
    beforeComplete: async () => {
      if (errors.length === 0) throw new Error('disk full')
    },
    onError: error => errors.push(error),
  })
  followers.push(follower)
  await follower.caughtUp
  assert.equal(errors.length, 1)
})
