/** Trimming: the log stays as short as what is live, and what it holds means the same as before. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { trimIfLong } from '../../revoker/log-trimming.ts'
import { tableOf, tableRejects } from '../support/decide.ts'
import { appendMany, expired, nowSeconds, startTrimming, stateOf, unmoved } from '../support/log-trimming.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { createErrorLogger } from '../support/published-log.ts'
import {
  anyRevocation,
  anyToken,
  block,
  bytesOf,
  cut,
  declarations,
  declare,
  lifetime,
  restore,
} from '../support/revocations.ts'

test('a log of expired revocations gets short, also behind one that lives long', async t => {
  const store = createMemoryLogStore()
  const long = block({ jti: 'long' }, nowSeconds + 3_600)
  await appendMany(store, [long, ...expired(40_000)])
  const { trim } = await startTrimming(t, store)
  let before = Number.POSITIVE_INFINITY
  while (store.entries.length < before) {
    before = store.entries.length
    await trim()
  }
  assert.ok(store.entries.length <= 10_002, `${store.entries.length} entries`)
  assert.deepEqual(
    Array.from(stateOf(store).all(), ({ entry }) => entry.expiresAt).filter(
      expiresAt => expiresAt > nowSeconds,
    ),
    [nowSeconds + 3_600],
  )
})

test('a log that is not longer than twice what is live and 10,000 stays as it is', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, expired(10_000))
  const { trim } = await startTrimming(t, store)
  await trim()
  assert.equal(store.entries.length, 10_000)
})

test('a log whose events are all of one key gets short too', async t => {
  const store = createMemoryLogStore()
  await appendMany(
    store,
    Array.from({ length: 14_000 }, (_, index) => cut({ sub: 'alice' }, nowSeconds - 20_000 + index)),
  )
  const { trim, follower } = await startTrimming(t, store)
  await trim()
  assert.ok(store.entries.length < 14_000)
  assert.equal(stateOf(store).position, follower.state.position)
})

test('what is appended again changes nothing, and followers send nothing for it', async t => {
  const store = createMemoryLogStore()
  const [kept, taken] = [block({ jti: 'kept' }, nowSeconds + 100), block({ jti: 'taken' }, nowSeconds + 100)]
  await appendMany(store, [kept, taken, restore(taken), ...expired(12_000)])
  const { follower, trim } = await startTrimming(t, store)
  const changed: string[] = []
  follower.state.onChanged = key => changed.push(key)
  await trim()
  assert.ok(store.entries.length < 12_003)
  await follower.reached(store.entries.at(-1)?.position ?? 0)
  assert.deepEqual(changed, [])
})

test('a log is trimmed up to an event of a later version and no further, for that is not ours to forget', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, [block({ jti: 'kept' }, nowSeconds + 100)])
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
  const { trim } = await startTrimming(t, store)
  await trim()
  const texts = store.entries.map(({ event }) => Buffer.from(event).toString())
  assert.equal(texts[0], JSON.stringify(later))
  assert.equal(texts[1], 'not ours')
  assert.equal(texts.filter(text => text.includes('kept')).length, 1)
  assert.equal(store.entries.length, 12_003)
})

test('a log that lost its tail after the events were appended again is not trimmed', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, [block({ jti: 'kept' }, nowSeconds + 100), ...expired(12_000)])
  const { follower } = await startTrimming(t, store)
  const log = store.open()
  const losing = {
    ...log,
    trim: async (before: number, known: Parameters<NonNullable<typeof log.trim>>[1]) => {
      store.rollBack(12_001)
      await log.trim?.(before, known)
    },
  }
  const { logger } = createErrorLogger()
  const options = { log: losing, follower, ...unmoved, logger }
  await assert.rejects(trimIfLong(options, new AbortController().signal), { code: 'ERR_LOG_ROLLED_BACK' })
  assert.equal(store.entries.length, 12_001)
})

test('declarations that were moved behind what needs them still count for it', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, [
    lifetime(9_000, nowSeconds),
    declare(['sub', 'tenant'], false),
    ...expired(12_000),
    cut({ sub: 'alice' }, nowSeconds),
    block({ sub: 'bob', tenant: 't' }, nowSeconds + 100),
  ])
  const { trim } = await startTrimming(t, store)
  await trim()
  const state = stateOf(store)
  assert.ok((store.entries[0]?.position ?? 0) > 2)
  assert.equal(state.entry(matchKey({ sub: 'alice' }, true).key)?.expiresAt, nowSeconds + 9_000)
  assert.ok(state.claimSets.sets.some(({ names }) => names.includes('tenant')))
})

test('several revokers that trim at the same time do not make the log grow', async t => {
  const store = createMemoryLogStore()
  const live = Array.from({ length: 2_000 }, (_, index) => block({ jti: `live${index}` }, nowSeconds + 3_600))
  await appendMany(store, live)
  const revokers = [
    await startTrimming(t, store),
    await startTrimming(t, store),
    await startTrimming(t, store),
  ]
  for (let round = 0; round < 6; round++) {
    await appendMany(
      store,
      Array.from({ length: 5_000 }, (_, index) => block({ jti: `${round}-${index}` }, nowSeconds - 10)),
    )
    for (const { follower } of revokers) {
      await follower.reached(store.entries.at(-1)?.position ?? 0)
      while (!follower.state.pruneStep(nowSeconds, 10_000));
    }
    await Promise.all(
      revokers.map(({ trim }) => trim().catch(error => assert.equal(error.code, 'ERR_LOG_ROLLED_BACK'))),
    )
  }
  assert.ok(store.entries.length < 25_000, `${store.entries.length} entries`)
  const state = stateOf(store)
  for (const { match } of live) assert.ok(state.entry(matchKey(match, false).key) !== undefined)
})

test('copies that were lost before they were read back do not let the originals go', async t => {
  const store = createMemoryLogStore()
  const kept = block({ jti: 'kept' }, nowSeconds + 3_600)
  await appendMany(store, [kept, ...expired(12_000)])
  const { follower } = await startTrimming(t, store)
  const log = store.open()
  let lost = false
  const losing = {
    ...log,
    appendAll: async (events: readonly Uint8Array[]) => {
      const positions = await log.appendAll(events)
      if (lost) return positions
      // Before anybody has read the copy a fail-over loses it, and others take its position.
      lost = true
      store.rollBack(12_001)
      await store
        .open()
        .appendAll(
          Array.from({ length: 50 }, (_, index) => bytesOf(block({ jti: `o${index}` }, nowSeconds + 9))),
        )
      return positions
    },
  }
  const { logger } = createErrorLogger()
  const options = { log: losing, follower, ...unmoved, logger }
  await trimIfLong(options, new AbortController().signal)
  assert.ok(stateOf(store).entry(matchKey(kept.match, false).key) !== undefined)
})

test('a state that is read from a trimmed log decides as one that read it all', async t => {
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
        const { trim } = await startTrimming(t, store)
        await trim()
        assert.ok(store.entries.length < 10_500 + shifted.length + declarations.length)
        const trimmed = stateOf(store)
        const [rejectsTrimmed, rejectsWhole] = [rejecting(trimmed), rejecting(whole)]
        for (const token of tokens) {
          const moved = { ...token, iat: token.iat + nowSeconds }
          assert.equal(rejectsTrimmed(moved), rejectsWhole(moved))
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

/** Decides by a state, a hundred seconds from now. */
const rejecting = (state: LiveState) => {
  const table = tableOf(state)
  return (token: Parameters<typeof tableRejects>[2]) =>
    tableRejects(table, state.claimSets.sets, token, nowSeconds + 100)
}
