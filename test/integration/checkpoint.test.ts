/** The checkpoint of an adapter: a restart goes on where it was, and nothing that was enforced is forgotten. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import type { Checkpoint } from '../../event-log/checkpoint.ts'
import {
  createEventCodec,
  type EventCodec,
  eventTypes,
  UnknownEventType,
} from '../../revocation/formats/rescind.ts'
import { matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import { followOnce, openCheckpointAt, runOnceAt } from '../support/checkpoints.ts'
import { createMemoryLogStore, type MemoryLogStore } from '../support/memory-log.ts'
import {
  anyRevocation,
  block,
  bytesOf,
  cut,
  declarations,
  plainCodec,
  restore,
} from '../support/revocations.ts'

const anyEvent = fc.oneof(
  anyRevocation,
  anyRevocation.map(one => restore(one)),
)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rescind-checkpoint-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (codec: EventCodec = plainCodec, at = folder): Promise<Checkpoint> => openCheckpointAt(at, codec)
const runOnce = (store: MemoryLogStore, codec = plainCodec) => runOnceAt(folder, store, codec)
const append = (store: MemoryLogStore, ...events: LogEvent[]) => store.open().appendAll(events.map(bytesOf))
const revoked = (name: string) => block({ jti: name }, 1_000)
const isLive = (state: LiveState, { match }: Revocation) =>
  (state.entry(matchKey(match, false).key)?.expiresAt ?? 0) > 0

/** What decides, and what a later event could depend on. */
const contents = (state: LiveState) => ({
  keys: Array.from(state.all(), ({ text }) => [text, state.live(text)?.image]),
  restorations: [...state.restorations.all].sort(([one], [other]) => (one < other ? -1 : 1)),
  summary: { ...state.summary, claimSets: undefined },
  sets: state.claimSets.sets,
})

test('after a restart the log is read on where it was', async () => {
  const store = createMemoryLogStore()
  await append(store, revoked('a'), cut({ sub: 'x' }, 10), revoked('b'), restore(revoked('a')))
  const first = await runOnce(store)
  assert.deepEqual(first.read, [1, 2, 3, 4])
  await append(store, revoked('c'))
  const second = await runOnce(store)
  assert.deepEqual(second.read, [5])
  assert.ok(!isLive(second.state, revoked('a')) && isLive(second.state, revoked('b')))
  assert.ok(isLive(second.state, revoked('c')))
})

test('enforcers can resume at positions that were read before the restart', async () => {
  const store = createMemoryLogStore()
  await append(store, revoked('a'), revoked('b'), revoked('c'))
  await runOnce(store)
  await append(store, revoked('d'))
  const { state } = await runOnce(store)
  for (const { position, digest } of store.entries) assert.equal(state.confirm(position, digest), 'confirmed')
  assert.equal(state.confirm(2, 0n), 'different')
  assert.equal([...state.changedAfter(2)].length, 2)
})

test('a state that went through a checkpoint is the state that went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 60 }), fc.nat(60), async (events, restartAfter) => {
      const at = await mkdtemp(join(folder, 'run-'))
      const store = createMemoryLogStore()
      await append(store, ...declarations, ...events.slice(0, restartAfter))
      const checkpoint = await open(plainCodec, at)
      await followOnce(store, checkpoint)
      await checkpoint.close()
      await append(store, ...events.slice(restartAfter))
      const again = await open(plainCodec, at)
      const { state } = await followOnce(store, again)
      await again.close()
      const fresh = await open(plainCodec, await mkdtemp(join(folder, 'fresh-')))
      const { state: expected } = await followOnce(store, fresh)
      await fresh.close()
      assert.deepEqual(contents(state), contents(expected))
    }),
    { numRuns: 25 },
  )
})

test('what the log lost between two runs stays enforced, also after a third', async () => {
  const store = createMemoryLogStore()
  await append(store, revoked('a'), revoked('b'), revoked('c'))
  await runOnce(store)
  store.rollBack(1)
  await append(store, revoked('d'))
  for (const rollbacks of [1, 0]) {
    const { state, ...run } = await runOnce(store)
    assert.equal(run.rollbacks, rollbacks)
    assert.equal(state.position, 2)
    for (const name of ['a', 'b', 'c', 'd']) assert.ok(isLive(state, revoked(name)), name)
  }
})

test('a log of another epoch leads to all that it holds, and all that was enforced', async () => {
  const store = createMemoryLogStore()
  await append(store, revoked('a'), revoked('b'))
  await runOnce(store)
  store.wipe()
  await append(store, revoked('b'), revoked('c'))
  const { state, rollbacks } = await runOnce(store)
  assert.equal(rollbacks, 1)
  assert.equal(state.epoch, store.epoch)
  for (const name of ['a', 'b', 'c']) assert.ok(isLive(state, revoked(name)), name)
})

test('a checkpoint confirms no position of a log that is gone', async () => {
  const store = createMemoryLogStore()
  await append(store, revoked('a'), revoked('b'))
  await runOnce(store)
  await append(store, revoked('c'))
  await runOnce(store)
  const gone = store.entries.map(({ position, digest }) => ({ position, digest }))
  store.wipe()
  await append(store, revoked('d'))
  for (let runs = 0; runs < 2; runs++) {
    const { state } = await runOnce(store)
    const confirmations = gone.map(({ position, digest }) => state.confirm(position, digest))
    assert.deepEqual(confirmations, ['different', 'ahead', 'ahead'])
  }
})

test('what people want to know of a revocation is kept as long as the revocation', async () => {
  const store = createMemoryLogStore()
  const told = { ...revoked('a'), reason: 'lost phone', actor: 'admin:tester' }
  await append(store, told, revoked('b'))
  await runOnce(store)
  const checkpoint = await open()
  try {
    const { key } = matchKey(told.match, false)
    const [text] = checkpoint.textsOf(key)
    assert.deepEqual([text?.match, text?.reason, text?.actor], [told.match, 'lost phone', 'admin:tester'])
    while (!checkpoint.state.pruneStep(2_000, 100));
    await checkpoint.flush()
    assert.deepEqual(checkpoint.textsOf(key), [])
  } finally {
    await checkpoint.close()
  }
})

test('a version that knows more types of events reads the log again from its start', async () => {
  const store = createMemoryLogStore()
  const older: EventCodec = {
    ...plainCodec,
    decode: bytes => {
      const event = plainCodec.decode(bytes)
      if (event.kind === 'restoration') throw new UnknownEventType(eventTypes.restoration)
      return event
    },
  }
  await append(store, revoked('a'), restore(revoked('a')), revoked('b'))
  assert.ok(isLive((await runOnce(store, older)).state, revoked('a')))
  const { state, read, rollbacks } = await runOnce(store)
  assert.deepEqual([read, rollbacks], [[1, 2, 3], 0])
  assert.ok(!isLive(state, revoked('a')))
})

test('a type that is still not known is no reason to read the log again', async () => {
  const store = createMemoryLogStore()
  const later = { specversion: '1.0', type: 'io.rescind.revocation.v9', data: {} }
  await store.open().append(Buffer.from(JSON.stringify(later)))
  assert.deepEqual((await runOnce(store)).read, [1])
  assert.deepEqual((await runOnce(store)).read, [])
})

test('with another key of the log it is read again: what was refused may be genuine', async () => {
  const store = createMemoryLogStore()
  const signing = createEventCodec('k'.repeat(32))
  const [plain, signed] = [revoked('plain'), revoked('signed')]
  await store.open().appendAll([plainCodec.encode(plain), signing.encode(signed)])
  assert.ok(!isLive((await runOnce(store, signing)).state, plain))
  const { state, read, rollbacks } = await runOnce(store)
  assert.deepEqual([read.length, rollbacks], [2, 0])
  assert.ok(isLive(state, plain) && isLive(state, signed))
})

test('a text lies where its revocation was read, also after the log was lost', async () => {
  const store = createMemoryLogStore()
  const [old, later] = [
    { ...revoked('a'), reason: 'old' },
    { ...revoked('b'), reason: 'later' },
  ]
  await append(store, old)
  await runOnce(store)
  store.wipe()
  await append(store, later)
  await runOnce(store)
  const checkpoint = await open()
  const reasonsOf = ({ match }: Revocation) =>
    checkpoint.textsOf(matchKey(match, false).key).map(({ reason }) => reason)
  try {
    assert.deepEqual([reasonsOf(old), reasonsOf(later)], [['old'], ['later']])
  } finally {
    await checkpoint.close()
  }
})

test('a folder that another process uses, or that cannot be written, is told with its name', async () => {
  const checkpoint = await open()
  await assert.rejects(open(), { code: 'ERR_LOG_IN_USE', message: /adapter\.dataFolder: .* is in use/ })
  await checkpoint.close()
  const file = join(folder, 'data.mdb')
  await assert.rejects(open(plainCodec, file), { code: 'ERR_DATA_FOLDER', message: /adapter\.dataFolder: / })
})
