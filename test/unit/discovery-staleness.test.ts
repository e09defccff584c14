/** How old an enforcer says that its state is: never younger than it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, connect, createAdapterSide, createEnforcerSide } from '../support/discovery.ts'
import { block } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => block({ jti: `j${from + index}` }, 1_000))

test('messages on the way to a version leave the state as old as it was', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  adapter.append(...many(0, 1))
  const enforcer = createEnforcerSide()
  const link = connect(clock, adapter, enforcer)
  link.settle()
  adapter.append(...many(1, 8))
  adapter.flush()
  clock.ms += 5_000
  adapter.confirmedAtMs = clock.ms
  link.write()
  link.read()
  assert.equal(enforcer.snapshot.version, 1)
  assert.equal(enforcer.stalenessMs(clock.ms), 5_000)
  link.settle()
  assert.equal(enforcer.snapshot.version, 9)
  assert.equal(enforcer.stalenessMs(clock.ms), 0)
})

test('a stream that lags is not sent what was encoded for all long ago, with the age that was true then', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  const enforcer = createEnforcerSide()
  const link = connect(clock, adapter, enforcer)
  link.settle()
  adapter.append(...many(0, 8))
  adapter.flush()
  link.write()
  link.read()
  clock.ms += 20_000
  link.settle()
  assert.equal(enforcer.snapshot.version, 8)
  assert.equal(enforcer.stalenessMs(clock.ms), 20_000)
})
