/** A batch is taken in slices, so that checks are answered in between, and may be left in the middle. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Subscription } from '../../enforcer/discovery/subscription.ts'
import { deltaResponseCodec } from '../../proto/wire.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import {
  type AdapterSide,
  batchIn,
  type Clock,
  connect,
  createAdapterSide,
  createEnforcerSide,
  enforces,
  receive,
} from '../support/discovery.ts'
import { block, restore, token } from '../support/revocations.ts'

const clock = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number): Revocation => block({ jti: `j${index}` }, 1_000)
const withJti = (index: number) => token({ jti: `j${index}` })
const many = Array.from({ length: 10_000 }, (_, index) => revoked(index))
const manyPerMessage = { entriesPerMessage: 20_000 }

/** The next message with entries of an adapter, which an enforcer has begun to take. */
const begin = (adapter: AdapterSide, enforcer: Subscription, now: Clock) => {
  const link = connect(now, adapter, enforcer)
  for (;;) {
    const bytes = link.write()
    assert.ok(bytes, 'there is no message with entries')
    const response = deltaResponseCodec.decode(bytes)
    if (batchIn(bytes).entries.length === 0) {
      receive(enforcer, response, now)
      continue
    }
    const steps = enforcer.receive(response, now.ms, now.seconds)
    assert.ok(!steps.next().done, 'it takes more than one slice')
    return { steps, link }
  }
}

describe('while a batch is taken in slices', () => {
  test('a full state of 10,000 entries lets others have a turn in between, and is not there before its end', () => {
    const now = clock()
    const adapter = createAdapterSide(now, manyPerMessage)
    adapter.append(...many)
    const enforcer = createEnforcerSide()
    const { steps } = begin(adapter, enforcer, now)
    let slices = 1
    while (!steps.next().done) {
      slices += 1
      assert.equal(enforcer.snapshot.table.size, 0)
    }
    assert.ok(slices >= 4, `${slices} slices`)
    assert.equal(enforcer.snapshot.table.size, 10_000)
    assert.deepEqual(enforcer.notReadyReasons(), [])
  })

  test('what is held is taken over in slices too', () => {
    const now = clock()
    const adapter = createAdapterSide(now, manyPerMessage)
    adapter.append(...many)
    const enforcer = createEnforcerSide()
    connect(now, adapter, enforcer).settle()
    const other = createAdapterSide(now, { epoch: 'epoch-2' })
    other.append(revoked(-1))
    const link = connect(now, other, enforcer)
    now.ms += 1
    other.confirmedAtMs = now.ms
    const first = link.write() as Buffer
    const last = link.write() as Buffer
    receive(enforcer, deltaResponseCodec.decode(first), now)
    const steps = enforcer.receive(deltaResponseCodec.decode(last), now.ms, now.seconds)
    let slices = 0
    while (!steps.next().done) {
      slices += 1
      assert.equal(enforces(enforcer, withJti(-1), now.seconds), false)
      assert.equal(enforces(enforcer, withJti(7), now.seconds), true)
    }
    assert.ok(slices > 1)
    assert.equal(enforces(enforcer, withJti(-1), now.seconds), true)
    for (const index of many.keys()) assert.ok(enforces(enforcer, withJti(index), now.seconds))
  })

  test('a batch that was left in the middle has weakened nothing, and its version is not reached', () => {
    const now = clock()
    const adapter = createAdapterSide(now, manyPerMessage)
    adapter.append(...many)
    const enforcer = createEnforcerSide()
    connect(now, adapter, enforcer).settle()
    adapter.append(...many.map(one => restore(one)))
    const { steps } = begin(adapter, enforcer, now)
    steps.next()
    assert.equal(enforcer.snapshot.version, 10_000)
    for (const index of many.keys()) assert.ok(enforces(enforcer, withJti(index), now.seconds))

    connect(now, adapter, enforcer).settle()
    assert.equal(enforcer.snapshot.version, 20_000)
    for (const index of many.keys()) assert.ok(!enforces(enforcer, withJti(index), now.seconds))
  })

  test('a full state that was left in the middle changed nothing', () => {
    const now = clock()
    const adapter = createAdapterSide(now, manyPerMessage)
    adapter.append(revoked(-1))
    const enforcer = createEnforcerSide()
    connect(now, adapter, enforcer).settle()
    const other = createAdapterSide(now, { ...manyPerMessage, firstPosition: 5 })
    other.append(...many)
    const { steps } = begin(other, enforcer, now)
    steps.next()
    assert.equal(enforcer.snapshot.version, 1)
    assert.equal(enforcer.snapshot.table.size, 1)

    connect(now, other, enforcer).settle()
    assert.equal(enforcer.snapshot.table.size, 10_001)
  })
})
