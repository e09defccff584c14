/** How an enforcer goes on at an adapter, which may be another one, or on another log. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  adapterWith,
  batchIn,
  type Clock,
  connect,
  connectAfresh,
  enforcerWith,
  enforces,
  isSignOfLife,
} from '../support/discovery.ts'
import { block, cut, restore, token } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const withJti = (index: number) => token({ jti: `j${index}` })

const kindsOf = (batches: ReturnType<ReturnType<typeof connect>['settle']>) => batches.map(({ kind }) => kind)

describe('a resume', () => {
  test('at another adapter on the same log gets only what it lacks', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1), revoked(2)])
    const adapter = adapterWith(clock, [revoked(1), revoked(2), revoked(3), restore(revoked(1)), revoked(4)])
    const batches = connect(clock, adapter, enforcer).settle()
    assert.deepEqual(
      batches.map(({ kind, from, to, target, entries }) => [kind, from, to, target, entries.length / 24]),
      [
        ['DELTA', 2, 2, 5, 3],
        ['DELTA', 2, 5, 5, 0],
      ],
    )
    assert.deepEqual(
      [1, 2, 3, 4].map(index => enforces(enforcer, withJti(index), 50)),
      [false, true, true, true],
    )
  })

  test('at the version that the adapter has is confirmed by one message', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1)])
    const batches = connect(clock, adapterWith(clock, [revoked(1)]), enforcer).settle()
    assert.deepEqual(
      batches.map(({ kind, from, to, entries }) => [kind, from, to, entries.length]),
      [['DELTA', 1, 1, 0]],
    )
  })

  test('below the start of the log gets the full state, which did not come because the log was rolled back', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1)])
    const batches = connect(clock, adapterWith(clock, [revoked(5)], { firstPosition: 5 }), enforcer).settle()
    assert.deepEqual(kindsOf(batches), ['FULL_FIRST', 'FULL_LAST'])
    assert.deepEqual(
      batches.map(({ rolledBack }) => rolledBack),
      [false, false],
    )
    assert.equal(enforcer.snapshot.version, 5)
  })

  test('with another digest gets the full state, marked as rolled back', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1), revoked(2)])
    const batches = connectAfresh(
      clock,
      adapterWith(clock, [revoked(1), revoked(3)], { salt: 1n }),
      enforcer,
    ).settle()
    assert.deepEqual(kindsOf(batches), ['FULL_FIRST', 'FULL_LAST'])
    assert.deepEqual(
      batches.map(({ rolledBack }) => rolledBack),
      [true, true],
    )
  })

  test('with another epoch gets the full state, marked as rolled back', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1)])
    const adapter = adapterWith(clock, [revoked(1)], { epoch: 'epoch-2' })
    const batches = connectAfresh(clock, adapter, enforcer).settle()
    assert.deepEqual(kindsOf(batches), ['FULL_FIRST', 'FULL_LAST'])
    assert.deepEqual(
      batches.map(({ rolledBack }) => rolledBack),
      [true, true],
    )
    assert.equal(enforcer.snapshot.epoch, 'epoch-2')
  })

  test('ahead of the adapter is held, and goes on as a resume when the adapter has caught up', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1), revoked(2), revoked(3)])
    const lagging = adapterWith(clock, [revoked(1)])
    const link = connect(clock, lagging, enforcer)
    clock.ms += 4_000
    const written = link.write()
    assert.ok(written !== undefined && isSignOfLife(written), 'the connection is seen to live')
    assert.equal(link.write(), undefined)
    lagging.append(revoked(2), revoked(3), revoked(4))
    assert.deepEqual(kindsOf(link.settle()), ['DELTA'])
    assert.equal(enforcer.snapshot.version, 4)
  })

  test('ahead of an adapter that then read the end of the log afresh gets the full state', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1), revoked(2), revoked(3)])
    const adapter = adapterWith(clock, [revoked(1)])
    const link = connect(clock, adapter, enforcer)
    assert.equal(link.write(), undefined)
    adapter.confirmedAtMs = clock.ms
    assert.equal(link.write(), undefined, 'the end was read before the enforcer came')
    adapter.confirmedAtMs = clock.ms += 1
    const batches = link.settle()
    assert.deepEqual(kindsOf(batches), ['FULL_FIRST', 'FULL_LAST'])
    assert.equal(batches[0]?.rolledBack, true)
    assert.equal(enforcer.snapshot.version, 1)
  })
})

describe('a full state never forgets', () => {
  const held = [revoked(1), block({ sid: 's1' }, 1_000), cut({ sub: 'alice' }, 40)]

  test('what it does not mention stays, with its claim sets, until it expires', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, held)
    connectAfresh(clock, adapterWith(clock, [revoked(9)], { epoch: 'epoch-2' }), enforcer).settle()
    for (const kept of [withJti(1), token({ sid: 's1' }), token({ sub: 'alice' }, 40), withJti(9)]) {
      assert.equal(enforces(enforcer, kept, 999), true)
    }
    assert.equal(enforces(enforcer, token({ sub: 'alice' }, 41), 999), false)
    assert.equal(enforces(enforcer, token({ sid: 's2' }), 999), false)
    assert.equal(enforces(enforcer, token({ sid: 's1' }), 1_000), false)
  })

  test('claim sets of what was kept stay in use through deltas that change the claim sets, and another full state', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, held)
    const adapter = adapterWith(clock, [revoked(9)], { epoch: 'epoch-2' })
    const link = connectAfresh(clock, adapter, enforcer)
    link.settle()
    adapter.append(block({ $client: 'app' }, 1_000))
    adapter.flush()
    link.settle()
    assert.equal(enforces(enforcer, token({ sid: 's1' }), 60), true)
    connectAfresh(clock, adapterWith(clock, [], { epoch: 'epoch-3' }), enforcer).settle()
    assert.equal(enforces(enforcer, token({ sid: 's1' }), 60), true)
    assert.equal(enforces(enforcer, token({ azp: 'app' }), 60), true)
  })

  test('a tombstone deletes what is held, also when its target is not in the log', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, held)
    const events = [revoked(1), restore(revoked(1)), restore(block({ sid: 's1' }, 1_000))]
    const trimmed = adapterWith(clock, events, { firstPosition: 100 })
    assert.deepEqual(
      connect(clock, trimmed, enforcer)
        .settle()
        .map(({ rolledBack }) => rolledBack),
      [false, false],
    )
    assert.equal(enforces(enforcer, withJti(1), 60), false)
    assert.equal(enforces(enforcer, token({ sid: 's1' }), 60), false)
    assert.equal(enforces(enforcer, token({ sub: 'alice' }, 40), 60), true)
  })

  test('after the log lost its tail, what it says of a key may be older: whatever rejects more stays', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, held)
    const events = [revoked(1), restore(revoked(1)), cut({ sub: 'alice' }, 20)]
    connectAfresh(clock, adapterWith(clock, events, { epoch: 'epoch-2' }), enforcer).settle()
    assert.equal(enforces(enforcer, withJti(1), 60), true)
    assert.equal(enforces(enforcer, token({ sub: 'alice' }, 40), 60), true)
    assert.equal(enforces(enforcer, token({ sub: 'alice' }, 41), 60), false)
  })

  test('what has expired is not kept', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1), block({ jti: 'old' }, 60)])
    clock.seconds = 360
    connectAfresh(clock, adapterWith(clock, [], { epoch: 'epoch-2' }), enforcer).settle()
    assert.equal(enforcer.snapshot.table.size, 1)
  })

  test('what seems to have expired, because the clock is ahead for a moment, is kept, with its claim sets', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [block({ sid: 's1' }, 60)])
    clock.seconds = 70
    connectAfresh(clock, adapterWith(clock, [], { epoch: 'epoch-2' }), enforcer).settle()
    assert.equal(enforces(enforcer, token({ sid: 's1' }), 59), true)
  })

  test('the table that is in use changes at once, with the last message', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1)])
    const before = enforcer.snapshot.table
    const events = Array.from({ length: 7 }, (_, index) => revoked(10 + index))
    const link = connectAfresh(clock, adapterWith(clock, events, { epoch: 'epoch-2' }), enforcer)
    while (link.write() !== undefined) {
      assert.equal(enforcer.snapshot.table, before)
      assert.equal(before.size, 1)
      link.read()
    }
    assert.notEqual(enforcer.snapshot.table, before)
    assert.equal(enforces(enforcer, withJti(1), 60), true)
    assert.equal(enforces(enforcer, withJti(16), 60), true)
  })

  test('interrupted, it leaves the old table in use, and what it had brought does not count', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [revoked(1)])
    const events = Array.from({ length: 7 }, (_, index) => revoked(10 + index))
    const link = connectAfresh(clock, adapterWith(clock, events, { epoch: 'epoch-2' }), enforcer)
    link.write()
    link.read()
    assert.deepEqual(
      [enforcer.snapshot.version, enforcer.snapshot.epoch, enforces(enforcer, withJti(1), 60)],
      [1, 'epoch-1', true],
    )
    assert.equal(enforces(enforcer, withJti(10), 60), false)
    const again = connect(clock, adapterWith(clock, [revoked(1), revoked(2)]), enforcer).settle()
    assert.deepEqual(kindsOf(again), ['DELTA'])
    assert.equal(enforces(enforcer, withJti(10), 60), false)
  })
})

test('an enforcer that is ready stays so while it catches up with an adapter that is far ahead', () => {
  const clock = now()
  const enforcer = enforcerWith(clock, [revoked(1)])
  const events = Array.from({ length: 20 }, (_, index) => revoked(index + 1))
  const link = connect(clock, adapterWith(clock, events), enforcer)
  while (link.write() !== undefined) {
    assert.deepEqual(enforcer.notReadyReasons(), [])
    link.read()
  }
  assert.equal(enforcer.snapshot.version, 20)
})

test('a resume after an interrupted walk begins at the version that was reached, not at what was under way', () => {
  const clock = now()
  const enforcer = enforcerWith(clock, [revoked(1)])
  const events = Array.from({ length: 20 }, (_, index) => revoked(index + 1))
  const link = connect(clock, adapterWith(clock, events), enforcer)
  link.write()
  link.read()
  const again = connect(clock, adapterWith(clock, events), enforcer)
  const first = again.write()
  assert.ok(first !== undefined)
  assert.equal(batchIn(first).from, 1)
  again.settle()
  assert.equal(enforcer.snapshot.version, 20)
  for (let index = 1; index <= 20; index++) assert.equal(enforces(enforcer, withJti(index), 60), true)
})
