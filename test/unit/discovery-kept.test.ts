/** What an enforcer keeps of a log that lost its tail: until when, and what ends it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import { lifetimeAt, raiseDelaySeconds } from '../../revocation/token-lifetimes.ts'
import {
  adapterWith,
  type Clock,
  connect,
  connectAfresh,
  createEnforcerSide,
  enforcerWith,
  enforces,
} from '../support/discovery.ts'
import { block, cut, digestAt, lifetime, restore, token } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)

describe('what was kept', () => {
  test('when the log had lost its tail only gets stronger, until it expires', () => {
    const clock = now()
    const [strong, weak, later] = [1_000, 100, 2_000].map(until => block({ sub: 'alice' }, until)) as [
      Revocation,
      Revocation,
      Revocation,
    ]
    const enforcer = enforcerWith(clock, [strong])
    const adapter = adapterWith(clock, [revoked(9)], { epoch: 'epoch-2' })
    const link = connectAfresh(clock, adapter, enforcer)
    link.settle()
    const send = (...events: LogEvent[]) => {
      adapter.append(...events)
      adapter.flush()
      link.settle()
    }
    const isEnforcedAt = (seconds: number) => enforces(enforcer, token({ sub: 'alice' }, 40), seconds)
    send(weak)
    assert.equal(isEnforcedAt(500), true)
    send(restore(weak))
    assert.equal(isEnforcedAt(500), true)
    assert.equal(isEnforcedAt(1_000), false)
    send(later)
    assert.equal(isEnforcedAt(1_999), true)
    send(restore(later))
    assert.equal(isEnforcedAt(999), true)
    assert.equal(isEnforcedAt(1_000), false)
  })

  test('stays through a full state that came for another reason, and says less of it', () => {
    const clock = now()
    const [strong, weak] = [block({ sub: 'alice' }, 1_000), block({ sub: 'alice' }, 100)]
    const enforcer = enforcerWith(clock, [strong])
    connectAfresh(clock, adapterWith(clock, [revoked(9)], { epoch: 'epoch-2' }), enforcer).settle()
    const trimmed = adapterWith(clock, [weak], { epoch: 'epoch-2', firstPosition: 9 })
    assert.equal(connect(clock, trimmed, enforcer).settle()[0]?.rolledBack, false)
    assert.equal(enforcer.snapshot.version, 9)
    assert.equal(enforces(enforcer, token({ sub: 'alice' }), 500), true)
  })

  test('is what it was, not what a log revoked later and restored', () => {
    const clock = now()
    const enforcer = enforcerWith(clock, [lifetime(100), cut({ sub: 'alice' }, 10)])
    const adapter = adapterWith(clock, [lifetime(100)], { epoch: 'epoch-2' })
    const link = connectAfresh(clock, adapter, enforcer)
    link.settle()
    const later = cut({ sub: 'alice' }, 60)
    adapter.append(later)
    adapter.flush()
    link.settle()
    const isEnforced = (iat: number) => enforces(enforcer, token({ sub: 'alice' }, iat), 50)
    assert.deepEqual([isEnforced(10), isEnforced(40)], [true, true])
    const options = { epoch: 'epoch-2', firstPosition: 9 }
    connect(clock, adapterWith(clock, [lifetime(100), later], options), enforcer).settle()
    const restored = adapterWith(clock, [lifetime(100), later, restore(later)], {
      ...options,
      firstPosition: 19,
    })
    connect(clock, restored, enforcer).settle()
    assert.deepEqual([isEnforced(10), isEnforced(40)], [true, false])
  })

  test('is looked up by its claims, whichever the log uses, also where it came as a leftover', () => {
    const clock = now()
    const ofAlice = block({ sub: 'alice' }, 1_000)
    const adapter = adapterWith(clock, [ofAlice])
    adapter.state.restart()
    adapter.restarts += 1
    adapter.append(revoked(1))
    const enforcer = createEnforcerSide()
    connect(clock, adapter, enforcer).settle()
    const isEnforced = () => enforces(enforcer, token({ sub: 'alice' }, 40), 50)
    assert.equal(isEnforced(), true)
    adapter.append(restore(ofAlice))
    connect(clock, adapter, enforcer).settle()
    assert.equal(isEnforced(), true)
  })

  test('and came as a leftover after a version that was held is looked up by its claims too', () => {
    const clock = now()
    const adapter = adapterWith(clock, [revoked(1)])
    const enforcer = createEnforcerSide()
    connect(clock, adapter, enforcer).settle()
    adapter.append(block({ sub: 'alice' }, 1_000))
    adapter.state.restart()
    adapter.restarts += 1
    adapter.state.epoch = adapter.epoch
    adapter.state.apply(1, digestAt(1), revoked(1))
    const kinds = connect(clock, adapter, enforcer)
      .settle()
      .map(({ kind }) => kind)
    assert.deepEqual([...new Set(kinds)], ['DELTA'])
    const isEnforced = () => enforces(enforcer, token({ sub: 'alice' }, 40), 50)
    assert.equal(isEnforced(), true)
    const withoutSet = adapterWith(clock, [revoked(1), revoked(2), revoked(3)])
    connect(clock, withoutSet, enforcer).settle()
    assert.equal(enforcer.snapshot.version, 3)
    assert.equal(isEnforced(), true)
  })

  test('stays through any full state that says it is restored', () => {
    const clock = now()
    const [lost, restored] = [block({ sub: 'alice' }, 1_000), block({ sub: 'alice' }, 100)]
    const enforcer = enforcerWith(clock, [lost])
    const adapter = adapterWith(clock, [restored, restore(restored)], { epoch: 'epoch-2' })
    connectAfresh(clock, adapter, enforcer).settle()
    const isEnforced = () => enforces(enforcer, token({ sub: 'alice' }, 40), 50)
    assert.equal(isEnforced(), true)
    for (const firstPosition of [9, 19]) {
      const options = { epoch: 'epoch-2', firstPosition }
      const trimmed = adapterWith(clock, [restored, restore(restored)], options)
      assert.equal(connect(clock, trimmed, enforcer).settle()[0]?.rolledBack, false)
      assert.equal(isEnforced(), true)
    }
  })

  test('is not outlived by tokens of its time, however long another log lets tokens live', () => {
    const clock = now()
    const latest = clock.seconds + raiseDelaySeconds
    const enforcer = enforcerWith(clock, [lifetime(100), cut({ sub: 'alice' }, 40)])
    const limits = () => [40, latest, latest + 1].map(iat => lifetimeAt(enforcer.snapshot.lifetimes, iat))
    const lose = (epoch: string, ...events: LogEvent[]) => {
      const adapter = adapterWith(clock, events, { epoch })
      connectAfresh(clock, adapter, enforcer).settle()
      adapter.append(revoked(1))
      connect(clock, adapter, enforcer).settle()
    }
    lose('epoch-2', lifetime(500))
    assert.deepEqual(limits(), [100, 100, 500])
    lose('epoch-3', lifetime(100))
    assert.deepEqual(limits(), [100, 100, 100])
    clock.seconds += 1_000
    lose('epoch-4', lifetime(600))
    assert.deepEqual(limits(), [100, 100, 100])
    assert.equal(lifetimeAt(enforcer.snapshot.lifetimes, latest + 1_001), 600)
  })

  test('is outlived by tokens from after the lost log was last heard of', () => {
    const clock = now()
    const latest = clock.seconds + raiseDelaySeconds
    const enforcer = enforcerWith(clock, [lifetime(100)])
    clock.ms += 400_000
    clock.seconds += 400
    connectAfresh(clock, adapterWith(clock, [lifetime(500)], { epoch: 'epoch-2' }), enforcer).settle()
    const limits = [latest, latest + 1].map(iat => lifetimeAt(enforcer.snapshot.lifetimes, iat))
    assert.deepEqual(limits, [100, 500])
  })

  test('is not outlived by tokens from before what came last, on the way to a version that was never reached', () => {
    const clock = now()
    const adapter = adapterWith(clock, [lifetime(100)])
    const enforcer = createEnforcerSide()
    const link = connect(clock, adapter, enforcer)
    link.settle()
    clock.ms += 1_000_000
    clock.seconds += 1_000
    adapter.append(...[1, 2, 3, 4, 5].map(index => cut({ sub: `user-${index}` }, clock.seconds)))
    adapter.flush()
    link.write()
    link.read()
    assert.equal(enforcer.snapshot.version, 1)
    const latest = clock.seconds + raiseDelaySeconds
    connectAfresh(clock, adapterWith(clock, [lifetime(500)], { epoch: 'epoch-2' }), enforcer).settle()
    const limits = [latest, latest + 1].map(iat => lifetimeAt(enforcer.snapshot.lifetimes, iat))
    assert.deepEqual(limits, [100, 500])
  })

  test('does not shorten the life of tokens that a log which lost its tail still allows', () => {
    const clock = now()
    clock.seconds = 10_000
    const declared = [lifetime(100, 1_000), lifetime(5_000, 2_000)]
    const enforcer = enforcerWith(clock, [...declared, revoked(1)])
    const before = enforcer.snapshot.lifetimes
    connectAfresh(clock, adapterWith(clock, declared, { epoch: 'epoch-2' }), enforcer).settle()
    for (const iat of [0, 1_000, 2_000, 3_000, 9_000, 20_000])
      assert.equal(lifetimeAt(enforcer.snapshot.lifetimes, iat), lifetimeAt(before, iat), `iat ${iat}`)
  })

  test('is nothing where nothing was held: a first state of a log that lost its tail sets no limits of before', () => {
    const clock = now()
    const enforcer = createEnforcerSide()
    const adapter = adapterWith(clock, [lifetime(100)])
    const link = connect(clock, adapter, enforcer)
    link.write()
    adapter.state.restart()
    adapter.restarts += 1
    adapter.rollbacks += 1
    adapter.append(lifetime(100))
    const batches = link.settle()
    assert.equal(batches.at(-1)?.rolledBack, true)
    assert.deepEqual(enforcer.snapshot.lifetimes, { seconds: 100, earlier: [] })
  })
})
