/** What restorations need of the log while it is trimmed: they count as long as what they restored would, wherever that is. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventLog } from '../../event-log/event-log.ts'
import { matchKey } from '../../revocation/key.ts'
import { clockAt } from '../support/clocks.ts'
import { appendMany, expired, nowSeconds, startTrimming, stateOf } from '../support/log-trimming.ts'
import { createMemoryLogStore } from '../support/memory-log.ts'
import { block, idOf, restore } from '../support/revocations.ts'

const revokedUntil = (expiresAt: number) => block({ sub: 'alice' }, expiresAt, idOf('repeated'))
const soon = nowSeconds + 50
const late = nowSeconds + 3_600
const restored = restore(revokedUntil(soon), soon)

test('of a revocation and a restoration that the log holds twice the longer ones are kept', async t => {
  const store = createMemoryLogStore()
  const [long, taken] = [block({ jti: 'long' }, late), block({ jti: 'taken' }, late)]
  const [shorter, shortly] = [{ ...long, expiresAt: soon }, restore(taken, soon)]
  await appendMany(store, [long, restore(taken), shorter, shortly, ...expired(12_000)])
  const { trim } = await startTrimming(t, store)
  await trim()
  const state = stateOf(store)
  assert.equal(state.entry(matchKey(long.match, false).key)?.expiresAt, late)
  assert.equal(state.restorations.get(taken.id)?.until, late)
})

test('of a restoration that was prolonged the copy says how long it counts', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, [revokedUntil(soon), restored, revokedUntil(late), ...expired(12_000)])
  const { trim } = await startTrimming(t, store)
  await trim()
  const state = stateOf(store)
  assert.ok(store.entries.length < 12_000, `${store.entries.length} entries`)
  assert.equal(state.restorations.get(restored.target)?.until, late)
  assert.equal(state.restorations.get(restored.target)?.position, store.entries.at(-1)?.position)
})

test('a revoker that has not read all does not trim what a later repetition needs', async t => {
  const store = createMemoryLogStore()
  await appendMany(store, [revokedUntil(soon), restored, ...expired(12_000)])
  const log = store.open()
  let goOn: () => void = () => undefined
  const readOn = new Promise<void>(resolve => {
    goOn = resolve
  })
  const lagging: EventLog = {
    ...log,
    async *read(after, signal) {
      for await (const page of log.read(after, signal)) {
        if ((page[0]?.position ?? 0) > 12_002) await readOn
        yield page
      }
    },
    appendAll: async events => {
      goOn()
      return log.appendAll(events)
    },
  }
  let clockSeconds = nowSeconds
  const clock = clockAt(() => clockSeconds * 1_000)
  const { trim } = await startTrimming(t, store, { log: lagging, clock })
  await appendMany(store, [revokedUntil(late)])
  clockSeconds += 100
  await trim()
  goOn()
  assert.ok(store.entries.length < 12_003)
  assert.equal(stateOf(store).restorations.get(restored.target)?.until, late)
})
