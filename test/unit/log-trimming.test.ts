/** Trimming: the log stays as short as what is live, and what it holds means the same as before. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import fc from 'fast-check'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { trimIfLong } from '../../revoker/log-trimming.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import { createMemoryLogStore, type MemoryLogStore } from '../support/memory-log.ts'
import { createErrorLogger } from '../support/published-log.ts'
import {
  anyRevocation,
  anyToken,
  block,
  bytesOf,
  cut,
  declarations,
  plainCodec,
  restore,
} from '../support/revocations.ts'

const followers: LogFollower[] = []

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.close()
})

const nowSeconds = Math.floor(Date.now() / 1000)

const startTrimming = async (store: MemoryLogStore) => {
  const log = store.open()
  const follower = followLog({ log, codec: plainCodec, graceSeconds: 0 })
  followers.push(follower)
  await follower.caughtUp
  while (!follower.state.pruneStep(nowSeconds, 10_000));
  const { logger } = createErrorLogger()
  return {
    follower,
    trim: () =>
      trimIfLong({ log, follower, codec: plainCodec, graceSeconds: 0, logger }, new AbortController().signal),
  }
}

const appendMany = async (store: MemoryLogStore, events: readonly LogEvent[]) => {
  for (let first = 0; first < events.length; first += 1_000)
    await store.open().appendAll(events.slice(first, first + 1_000).map(bytesOf))
}

const stateOf = (store: MemoryLogStore): LiveState => {
  const state = new LiveState()
  for (const { position, digest, event } of store.entries)
    state.apply(position, digest, plainCodec.decode(event))
  return state
}

const expired = (count: number) =>
  Array.from({ length: count }, (_, index) => block({ jti: `old${index}` }, nowSeconds - 10))

test('a log of expired revocations gets short, also behind one that lives long', async () => {
  const store = createMemoryLogStore()
  const long = block({ jti: 'long' }, nowSeconds + 3_600)
  await appendMany(store, [long, ...expired(40_000)])
  const { trim } = await startTrimming(store)
  let before = Number.POSITIVE_INFINITY
  while (store.entries.length < before) {
    before = store.entries.length
    await trim()
  }
  assert.ok(store.entries.length <= 10_002, `${store.entries.length} entries`)
  assert.deepEqual(
    [...stateOf(store).all()]
      .filter(([, live]) => live.entry.expiresAt > nowSeconds)
      .map(([, live]) => live.entry.expiresAt),
    [nowSeconds + 3_600],
  )
})

test('a log that is not longer than twice what is live and 10,000 stays as it is', async () => {
  const store = createMemoryLogStore()
  await appendMany(store, expired(10_000))
  const { trim } = await startTrimming(store)
  await trim()
  assert.equal(store.entries.length, 10_000)
})

test('a log whose events are all of one key gets short too', async () => {
  const store = createMemoryLogStore()
  await appendMany(
    store,
    Array.from({ length: 14_000 }, (_, index) => cut({ sub: 'alice' }, nowSeconds - 20_000 + index)),
  )
  const { trim, follower } = await startTrimming(store)
  await trim()
  assert.ok(store.entries.length < 14_000)
  assert.equal(stateOf(store).position, follower.state.position)
})

test('what is appended again changes nothing, and followers send nothing for it', async () => {
  const store = createMemoryLogStore()
  const [kept, taken] = [block({ jti: 'kept' }, nowSeconds + 100), block({ jti: 'taken' }, nowSeconds + 100)]
  await appendMany(store, [kept, taken, restore(taken), ...expired(12_000)])
  const { follower, trim } = await startTrimming(store)
  const changed: string[] = []
  follower.state.onChanged = key => changed.push(key)
  await trim()
  assert.ok(store.entries.length < 12_003)
  await follower.reached(store.entries.at(-1)?.position ?? 0)
  assert.deepEqual(changed, [])
})

test('events of a later version are kept, for they are not ours to forget', async () => {
  const store = createMemoryLogStore()
  const later = {
    specversion: '1.0',
    type: 'io.rescind.revocation.v2',
    source: '/rescind',
    id: '1',
    data: {},
  }
  await store.open().append(Buffer.from(JSON.stringify(later)))
  await store.open().append(Buffer.from('not ours'))
  await appendMany(store, expired(12_000))
  const { trim } = await startTrimming(store)
  await trim()
  const texts = store.entries.map(({ event }) => Buffer.from(event).toString())
  assert.equal(texts.filter(text => text === JSON.stringify(later)).length, 1)
  assert.ok(!texts.includes('not ours'))
})

test('a log that lost its tail after the events were appended again is not trimmed', async () => {
  const store = createMemoryLogStore()
  await appendMany(store, [block({ jti: 'kept' }, nowSeconds + 100), ...expired(12_000)])
  const { follower } = await startTrimming(store)
  const log = store.open()
  const losing = {
    ...log,
    trim: async (before: number, known: Parameters<NonNullable<typeof log.trim>>[1]) => {
      store.rollBack(12_001)
      await log.trim?.(before, known)
    },
  }
  const { logger } = createErrorLogger()
  const options = { log: losing, follower, codec: plainCodec, graceSeconds: 0, logger }
  await assert.rejects(trimIfLong(options, new AbortController().signal), { code: 'ERR_LOG_ROLLED_BACK' })
  assert.equal(store.entries.length, 12_001)
})

test('a state that is read from a trimmed log decides as one that read it all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          anyRevocation,
          anyRevocation.map(one => restore(one, nowSeconds + 5_000)),
        ),
        { maxLength: 40 },
      ),
      fc.array(anyToken, { minLength: 5, maxLength: 20 }),
      async (random, tokens) => {
        const store = createMemoryLogStore()
        const shifted = random.map(shift)
        await appendMany(store, [...declarations, ...shifted, ...expired(10_500)])
        const whole = stateOf(store)
        const { trim } = await startTrimming(store)
        await trim()
        assert.ok(store.entries.length < 10_500 + shifted.length + declarations.length)
        const trimmed = stateOf(store)
        for (const token of tokens) {
          const now = nowSeconds + 100
          const moved = { ...token, iat: token.iat + nowSeconds }
          assert.equal(rejects(trimmed, moved, now), rejects(whole, moved, now))
        }
      },
    ),
    { numRuns: 20 },
  )
})

/** Random times are small numbers; here they begin now. */
const shift = (event: LogEvent): LogEvent => {
  if (event.kind !== 'revocation') return event
  const { issuedBefore, expiresAt, ...rest } = event
  return {
    ...rest,
    ...(issuedBefore === undefined ? {} : { issuedBefore: issuedBefore + nowSeconds }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt + nowSeconds }),
  }
}

const rejects = (state: LiveState, token: Parameters<typeof tableRejects>[2], now: number): boolean =>
  tableRejects(tableOf(state), state.claimSets.sets, token, now)
