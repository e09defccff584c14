/** What an enforcer keeps of a log that lost its tail: until when, and what ends it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Subscription } from '../../enforcer/discovery/subscription.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { lifetimeAt, raiseDelaySeconds } from '../../revocation/token-lifetimes.ts'
import {
  adapterWith,
  type Clock,
  connect,
  connectAfresh,
  enforcerWith,
  enforces,
} from '../support/discovery.ts'
import { block, cut, idOf, lifetime, restore, token } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)

describe('what was kept', () => {
  test('when the log had lost its tail only gets stronger, until it is restored', () => {
    const clock = now()
    const [strong, weak] = [block({ sub: 'alice' }, 1_000), block({ sub: 'alice' }, 100)]
    const enforcer = enforcerWith(clock, [strong])
    const adapter = adapterWith(clock, [revoked(9)], { epoch: 'epoch-2' })
    const link = connectAfresh(clock, adapter, enforcer)
    link.settle()
    const send = (...events: LogEvent[]) => {
      adapter.append(...events)
      adapter.flush()
      link.settle()
    }
    send(weak)
    assert.equal(enforces(enforcer, token({ sub: 'alice' }), 500), true)
    send(restore(weak))
    assert.equal(enforces(enforcer, token({ sub: 'alice' }), 50), false)
  })

  test('stays when the log repeats another revocation of the key that it had restored before', () => {
    const clock = now()
    const id = idOf('restored')
    const restored = block({ sub: 'alice' }, 100, id)
    const enforcer = enforcerWith(clock, [block({ sub: 'alice' }, 1_000)])
    const adapter = adapterWith(clock, [restored, restore(restored)], { epoch: 'epoch-2' })
    const link = connectAfresh(clock, adapter, enforcer)
    link.settle()
    adapter.append(block({ sub: 'alice' }, 500, id))
    adapter.flush()
    link.settle()
    assert.equal(enforces(enforcer, token({ sub: 'alice' }), 50), true)
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

  test('stays through a full state that restores it as the log did before, until it is restored anew', () => {
    const clock = now()
    const [lost, restored] = [block({ sub: 'alice' }, 1_000), block({ sub: 'alice' }, 100)]
    const enforcer = enforcerWith(clock, [lost])
    const adapter = adapterWith(clock, [restored, restore(restored)], { epoch: 'epoch-2' })
    connectAfresh(clock, adapter, enforcer).settle()
    const isEnforced = () => enforces(enforcer, token({ sub: 'alice' }), 50)
    assert.equal(isEnforced(), true)
    for (const firstPosition of [9, 19]) {
      const options = { epoch: 'epoch-2', firstPosition }
      const trimmed = adapterWith(clock, [restored, restore(restored)], options)
      assert.equal(connect(clock, trimmed, enforcer).settle()[0]?.rolledBack, false)
      assert.equal(isEnforced(), true)
    }
    const last = adapterWith(clock, [restored, restore(restored)], { epoch: 'epoch-2', firstPosition: 29 })
    const link = connect(clock, last, enforcer)
    link.settle()
    last.append(restore(lost))
    last.flush()
    link.settle()
    assert.equal(isEnforced(), false)
  })

  test('is not outlived by tokens of its time, however long another log lets tokens live', () => {
    const clock = now()
    const latest = clock.seconds + raiseDelaySeconds
    const limits = (enforcer: Subscription) =>
      [40, latest, latest + 1].map(iat => lifetimeAt(enforcer.snapshot.lifetimes, iat))
    const enforcer = enforcerWith(clock, [lifetime(100), cut({ sub: 'alice' }, 40)])
    const lose = (seconds: number, epoch: string) => {
      const adapter = adapterWith(clock, [lifetime(seconds)], { epoch })
      const link = connectAfresh(clock, adapter, enforcer)
      link.settle()
      adapter.append(revoked(1))
      adapter.flush()
      link.settle()
    }
    lose(500, 'epoch-2')
    assert.deepEqual(limits(enforcer), [100, 100, 500])
    lose(400, 'epoch-3')
    assert.deepEqual(limits(enforcer), [100, 100, 400])
    clock.seconds = latest + 601
    lose(600, 'epoch-4')
    assert.deepEqual(limits(enforcer), [400, 400, 400])
    assert.equal(lifetimeAt(enforcer.snapshot.lifetimes, clock.seconds + raiseDelaySeconds + 1), 600)
  })
})
