/** A delta stream between adapter and enforcer: start, deltas, resume, heartbeats, flow control. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import {
  batchIn,
  type Clock,
  connect,
  createAdapterSide,
  createEnforcerSide,
  enforces,
} from '../support/discovery.ts'
import { block, cut, digestAt, token } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const withJti = (index: number) => token({ jti: `j${index}` })
const many = (count: number) => Array.from({ length: count }, (_, index) => revoked(index))

describe('a cold start', () => {
  test('on an empty log makes the enforcer ready at version 0, rejecting nothing', () => {
    const clock = now()
    const enforcer = createEnforcerSide()
    assert.deepEqual(enforcer.notReadyReasons(), ['no complete snapshot of the revocations yet'])
    const batches = connect(clock, createAdapterSide(clock), enforcer).settle()
    assert.deepEqual(
      batches.map(({ kind, to, target }) => [kind, to, target]),
      [
        ['FULL_FIRST', 0, 0],
        ['FULL_LAST', 0, 0],
      ],
    )
    assert.deepEqual(enforcer.notReadyReasons(), [])
    assert.equal(enforces(enforcer, withJti(0), clock.seconds), false)
  })

  test('with many entries comes in several messages, and is ready after the last and not before', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    adapter.append(...many(8))
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    const kinds: string[] = []
    while (link.write() !== undefined) {
      assert.equal(enforcer.notReadyReasons().length, 1)
      assert.equal(enforces(enforcer, withJti(0), clock.seconds), false)
      kinds.push(batchIn(link.down[0] as Buffer).kind)
      link.read()
    }
    assert.deepEqual(kinds, ['FULL_FIRST', 'FULL_MORE', 'FULL_MORE', 'FULL_LAST'])
    assert.deepEqual(enforcer.notReadyReasons(), [])
    assert.equal(enforcer.snapshot.version, 8)
    for (let index = 0; index < 8; index++)
      assert.equal(enforces(enforcer, withJti(index), clock.seconds), true)
    assert.equal(enforces(enforcer, withJti(8), clock.seconds), false)
  })
})

for (const held of [0, 2, 6]) {
  test(`what is revoked between any two messages of a full state of ${held} entries comes with it`, () => {
    for (let written = 0; written < 6; written++) {
      const clock = now()
      const adapter = createAdapterSide(clock)
      adapter.append(...many(held))
      const link = connect(clock, adapter, createEnforcerSide())
      for (let message = 0; message < written; message++) link.write()
      adapter.append(revoked(9))
      adapter.flush()
      link.settle()
      assert.equal(link.enforcer.snapshot.version, held + 1)
      assert.equal(enforces(link.enforcer, withJti(9), clock.seconds), true, `after ${written} messages`)
    }
  })
}

describe('a delta', () => {
  test('is pushed to every stream as the same bytes', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const links = [createEnforcerSide(), createEnforcerSide()].map(enforcer =>
      connect(clock, adapter, enforcer),
    )
    for (const link of links) link.settle()
    adapter.append(revoked(1))
    adapter.flush()
    const [first, second] = links.map(link => link.write())
    assert.ok(first !== undefined)
    assert.equal(first, second)
    assert.equal(batchIn(first).entries.length, 24)
  })

  test('larger than a message changes the version with its last message only', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    link.settle()
    adapter.append(...many(7))
    adapter.flush()
    assert.deepEqual(
      link.settle().map(({ from, to, entries }) => [from, to, entries.length / 24]),
      [
        [0, 0, 3],
        [0, 0, 3],
        [0, 7, 1],
      ],
    )
    assert.equal(enforcer.snapshot.digest, digestAt(7).toString(16).padStart(16, '0'))
  })

  test('carries claim sets only when they are others than the last that were sent', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const link = connect(clock, adapter, createEnforcerSide())
    link.settle()
    const namesPushed = [revoked(1), revoked(2), cut({ sub: 'alice' }, 10), revoked(3)].map(event => {
      adapter.append(event)
      adapter.flush()
      return link.settle().flatMap(batch => batch.claimSets.map(({ names }) => names.join()))
    })
    assert.deepEqual(namesPushed, [['jti'], [], ['jti', 'sub'], []])
  })

  test('after pruning took a claim set out of use and a revocation brought it back is understood at once', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    adapter.append(block({ jti: 'j1' }, 100))
    link.settle()
    adapter.append(block({ jti: 'j2' }, 100))
    adapter.flush()
    link.settle()
    clock.seconds = 500
    adapter.prune(200)
    clock.ms += 1_000
    assert.equal(link.settle().length, 1)
    assert.equal(enforcer.snapshot.generation, claimSetGeneration([]))
    adapter.append(revoked(3))
    adapter.flush()
    link.settle()
    assert.equal(link.session.status.nackError, undefined)
    assert.equal(enforces(enforcer, withJti(3), clock.seconds), true)
  })

  test('for a stream that began after such pruning is understood too', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    connect(clock, adapter, createEnforcerSide()).settle()
    adapter.append(block({ jti: 'j1' }, 100))
    adapter.flush()
    adapter.prune(200)
    const link = connect(clock, adapter, createEnforcerSide())
    link.settle()
    adapter.append(revoked(3))
    adapter.flush()
    link.settle()
    assert.equal(link.session.status.nackError, undefined)
    assert.equal(enforces(link.enforcer, withJti(3), clock.seconds), true)
  })
})

describe('heartbeats', () => {
  test('come each second on an idle stream, say how old the knowledge of the log is, and are not ACKed', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    adapter.append(revoked(1))
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    link.settle()
    const acked = link.session.status
    clock.ms += 999
    assert.equal(link.write(), undefined)
    clock.ms += 1
    const bytes = link.write()
    assert.ok(bytes !== undefined)
    const { kind, from, to, entries, logAgeMs } = batchIn(bytes)
    assert.deepEqual([kind, from, to, entries.length, logAgeMs], ['DELTA', 1, 1, 0, 1_000])
    assert.equal(link.read()?.request, undefined)
    assert.deepEqual(link.session.status, acked)
    assert.equal(link.write(), undefined)
  })

  test('make staleness the age that the adapter names and the time since', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const enforcer = createEnforcerSide()
    assert.equal(enforcer.stalenessMs(clock.ms), Number.POSITIVE_INFINITY)
    const link = connect(clock, adapter, enforcer)
    link.settle()
    clock.ms += 3_000
    link.settle()
    assert.equal(enforcer.stalenessMs(clock.ms), 3_000)
    assert.equal(enforcer.stalenessMs(clock.ms + 500), 3_500)
    adapter.confirmedAtMs = clock.ms += 1_000
    link.settle()
    assert.equal(enforcer.stalenessMs(clock.ms), 0)
  })

  test('are not sent while a message waits for its ACK at the limit', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    const link = connect(clock, adapter, createEnforcerSide())
    adapter.append(...many(60))
    while (link.write() !== undefined);
    clock.ms += 5_000
    assert.equal(link.write(), undefined)
  })
})

describe('flow control', () => {
  test('at most 8 messages are under way without an ACK', () => {
    const clock = now()
    const adapter = createAdapterSide(clock)
    adapter.append(...many(60))
    const link = connect(clock, adapter, createEnforcerSide())
    while (link.write() !== undefined);
    assert.equal(link.down.length, 8)
    while (link.read() !== undefined);
    assert.equal(link.write(), undefined)
    link.answer()
    assert.ok(link.write() !== undefined)
    assert.equal(link.write(), undefined)
  })

  test('a stream that stands still costs nothing and gets what it missed when it goes on', () => {
    const clock = now()
    const adapter = createAdapterSide(clock, { sharedBytesLimit: 1_000 })
    const slow = connect(clock, adapter, createEnforcerSide())
    slow.settle()
    for (const event of many(60)) {
      adapter.append(event)
      adapter.flush()
      slow.write()
    }
    assert.equal(slow.down.length, 8)
    slow.settle()
    assert.equal(slow.enforcer.snapshot.version, 60)
    for (let index = 0; index < 60; index++) assert.equal(enforces(slow.enforcer, withJti(index), 50), true)
  })
})
