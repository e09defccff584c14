/** What an enforcer stores on disk: it is what was enforced, and nothing else passes for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  encodeSnapshot,
  SnapshotReader,
  type StoredSnapshot,
} from '../../enforcer/discovery/stored-snapshot.ts'
import type { Subscription } from '../../enforcer/discovery/subscription.ts'
import { deltaResponseCodec } from '../../proto/wire.ts'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import { lifetimeAt } from '../../revocation/token-lifetimes.ts'
import {
  type Clock,
  connect,
  connectAfresh,
  createAdapterSide,
  createEnforcerSide,
  enforces,
  receive,
} from '../support/discovery.ts'
import { anyRevocation, block, cut, declarations, lifetime, restore, token } from '../support/revocations.ts'

const clock = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number): Revocation => block({ jti: `j${index}` }, 1_000)
const withJti = (index: number) => token({ jti: `j${index}` })

/** An enforcer that has what an adapter has. */
const fed = (now: Clock, ...events: readonly LogEvent[]) => {
  const adapter = createAdapterSide(now, { entriesPerMessage: 20_000 })
  adapter.append(...events)
  const enforcer = createEnforcerSide()
  const link = connect(now, adapter, enforcer)
  link.settle()
  return { adapter, enforcer, link }
}

const encoding = (enforcer: Subscription, now: Clock): Generator<Buffer> => {
  const facts = enforcer.facts(now.ms, now.seconds * 1_000)
  assert.ok(facts)
  return encodeSnapshot(() => facts, enforcer.snapshot)
}

const read = (bytes: Buffer): StoredSnapshot => {
  const reader = new SnapshotReader()
  let at = 0
  const next = (length: number): Buffer => {
    const part = bytes.subarray(at, at + length)
    if (part.length < length) throw new Error('it ends too early')
    at += length
    return part
  }
  while (reader.wanted > 0) {
    const head = next(reader.wanted)
    for (const _ of reader.takeRest(head, next(reader.take(head))));
  }
  return reader.finish()
}

/** An enforcer that begins with what was stored. */
const restored = (stored: StoredSnapshot, now: Clock): Subscription => {
  const enforcer = createEnforcerSide()
  enforcer.restore(stored, now.ms, now.seconds * 1_000)
  return enforcer
}

test('what is stored is what was enforced, and an adapter only brings what came after it', () => {
  fc.assert(
    fc.property(fc.array(anyRevocation, { maxLength: 30 }), events => {
      const now = clock()
      const { adapter, enforcer } = fed(now, ...declarations, ...events)
      const again = restored(read(Buffer.concat([...encoding(enforcer, now)])), now)
      assert.equal(again.snapshot.table.size, enforcer.snapshot.table.size)
      assert.deepEqual(again.snapshot.claimSets, enforcer.snapshot.claimSets)
      assert.deepEqual(again.notReadyReasons(), ['no complete snapshot of the revocations yet'])
      adapter.append(revoked(-1))
      const batches = connect(now, adapter, again).settle()
      assert.deepEqual(
        batches.map(({ kind }) => kind),
        ['DELTA'],
      )
      assert.deepEqual(again.notReadyReasons(), [])
      assert.ok(enforces(again, withJti(-1), now.seconds))
    }),
    { numRuns: 200 },
  )
})

test('without an adapter it decides by what was stored when it is told to, and knows how old that is', () => {
  const now = clock()
  const { enforcer } = fed(now, revoked(1))
  now.ms += 2_000
  const stored = read(Buffer.concat([...encoding(enforcer, now)]))
  now.seconds += 30
  now.ms = 5
  const again = restored(stored, now)
  assert.equal(again.isStored, false)
  assert.equal(again.useStored(), true)
  assert.equal(again.isStored, true)
  assert.deepEqual(again.notReadyReasons(), [])
  assert.ok(enforces(again, withJti(1), now.seconds))
  assert.ok(!enforces(again, withJti(2), now.seconds))
  assert.equal(again.stalenessMs(now.ms + 100), 32_100)
})

test('once an adapter has led on, it is no longer the stored one', () => {
  const now = clock()
  const { adapter, enforcer } = fed(now, revoked(1))
  const again = restored(read(Buffer.concat([...encoding(enforcer, now)])), now)
  again.useStored()
  connect(now, adapter, again).settle()
  assert.equal(again.isStored, false)
  assert.equal(again.useStored(), false)
})

test('while it is written entries may get weaker: what is stored is as strong as at its version', () => {
  const now = clock()
  const all = Array.from({ length: 10_000 }, (_, index) => revoked(index))
  const { adapter, enforcer, link } = fed(now, ...all)
  const parts = encoding(enforcer, now)
  const written = [parts.next().value, parts.next().value]
  adapter.append(...all.map(one => restore(one)))
  adapter.flush()
  link.settle()
  const stored = read(Buffer.concat([...written, ...parts] as Buffer[]))
  assert.equal(stored.facts.version, 10_000)

  // The log has lost the restorations: whoever resumes from the stored version is not told of them.
  const other = createAdapterSide(now)
  other.append(...all)
  const again = restored(stored, now)
  connectAfresh(now, other, again).settle()
  for (const index of all.keys()) assert.ok(enforces(again, withJti(index), now.seconds))
})

test('what is stored on the way to a version is still looked up by the claim sets that go out of use with it', () => {
  const now = clock()
  const adapter = createAdapterSide(now, { entriesPerMessage: 3 })
  const ofAlice = cut({ sub: 'alice' }, 40)
  const tokenOfAlice = token({ sub: 'alice' }, 30)
  adapter.append(ofAlice)
  const enforcer = createEnforcerSide()
  connect(now, adapter, enforcer).settle()
  adapter.append(revoked(1), revoked(2), revoked(3), restore(ofAlice))
  const link = connect(now, adapter, enforcer)
  receive(enforcer, deltaResponseCodec.decode(link.write() as Buffer), now)
  assert.ok(enforces(enforcer, tokenOfAlice, now.seconds))

  const again = restored(read(Buffer.concat([...encoding(enforcer, now)])), now)
  assert.equal(again.snapshot.version, enforcer.snapshot.version)
  again.useStored()
  assert.ok(enforces(again, tokenOfAlice, now.seconds))
  connect(now, adapter, again).settle()
  assert.ok(!enforces(again, tokenOfAlice, now.seconds))
  assert.ok(enforces(again, withJti(3), now.seconds))
  assert.equal(again.snapshot.claimSets.length, 1)
})

test('what is stored still holds tokens to the lifetimes of a log that was lost', () => {
  const now = clock()
  const { enforcer } = fed(now, lifetime(100))
  const adapter = createAdapterSide(now, { epoch: 'epoch-2' })
  adapter.append(lifetime(500))
  connectAfresh(now, adapter, enforcer).settle()
  const again = restored(read(Buffer.concat([...encoding(enforcer, now)])), now)
  assert.equal(lifetimeAt(again.snapshot.lifetimes, now.seconds), 100)
  adapter.append(revoked(1))
  connect(now, adapter, again).settle()
  assert.equal(again.snapshot.version, 2)
  assert.equal(lifetimeAt(again.snapshot.lifetimes, now.seconds), 100)
})

test('bytes that were cut off, changed or added to are refused', () => {
  const now = clock()
  const { enforcer } = fed(now, revoked(1), revoked(2))
  const bytes = Buffer.concat([...encoding(enforcer, now)])
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ 4
    assert.throws(() => read(changed), `byte ${at}`)
  }
  for (let length = 0; length < bytes.length; length++) assert.throws(() => read(bytes.subarray(0, length)))
})

test('bytes that say they are huge are refused before they are read', () => {
  const head = Buffer.concat([Buffer.from('RESCIND SNAPSHOT 4\n'), Buffer.alloc(4, 0xff)])
  assert.throws(() => new SnapshotReader().take(head), { code: 'ERR_SNAPSHOT_INVALID', message: /bytes/ })
})
