/** What the fleet is told of a delta stream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deltaRequestCodec } from '../../proto/wire.ts'
import { type Clock, connect, createAdapterSide, createEnforcerSide, spoil } from '../support/discovery.ts'
import { block } from '../support/revocations.ts'

const now = (): Clock => ({ ms: 10_000, seconds: 50 })
const revoked = (index: number) => block({ jti: `j${index}` }, 1_000)
const many = (count: number) => Array.from({ length: count }, (_, index) => revoked(index))

test('the fleet sees the version that an enforcer ACKed, and its goodbye', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  adapter.append(...many(4))
  const link = connect(clock, adapter, createEnforcerSide({ label: 'l', instance: 'i' }))
  assert.deepEqual(link.session.status.node, { label: 'l', instance: 'i' })
  assert.equal(link.session.status.ackedVersion, -1)
  link.settle()
  assert.equal(link.session.status.ackedVersion, 4)
  assert.equal(link.session.status.lastAckAtMs, clock.ms)
  assert.equal(link.session.status.saidGoodbye, false)
  link.up.push(deltaRequestCodec.encode(link.enforcer.goodbye()))
  link.answer()
  assert.equal(link.session.status.saidGoodbye, true)
})

test('the fleet sees the version with which an enforcer resumed, before its first ACK', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  adapter.append(...many(4))
  const enforcer = createEnforcerSide()
  connect(clock, adapter, enforcer).settle()
  adapter.append(revoked(4))
  const again = connect(clock, adapter, enforcer)
  assert.equal(again.session.status.ackedVersion, -1)
  again.write()
  assert.equal(again.session.status.ackedVersion, 4)
  again.settle()
  assert.equal(again.session.status.ackedVersion, 5)
})

test('the fleet sees no version from the moment at which the log began anew, until the enforcer has the new state', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  adapter.append(...many(4))
  const link = connect(clock, adapter, createEnforcerSide())
  link.settle()
  adapter.restarts++
  assert.equal(link.session.status.ackedVersion, -1)
  link.settle()
  assert.equal(link.session.status.ackedVersion, 4)
})

test('the fleet sees when and why an enforcer refused, and until when it is not tried again', () => {
  const clock = now()
  const adapter = createAdapterSide(clock)
  adapter.append(...many(4))
  const link = connect(clock, adapter, createEnforcerSide())
  link.write()
  link.down.push(spoil(link.down.pop() as Buffer))
  link.read()
  link.answer()
  const refused = link.session.status
  assert.match(refused.nackError ?? '', /entries/)
  assert.deepEqual(refused.lastNack, { atMs: clock.ms, error: refused.nackError })
  assert.equal(refused.retryAtMs, clock.ms + 1_000)
  clock.ms += 1_000
  link.settle()
  const { nackError, lastNack, retryAtMs, ackedVersion } = link.session.status
  assert.deepEqual([nackError, retryAtMs, ackedVersion], [undefined, undefined, 4])
  assert.deepEqual(lastNack, refused.lastNack)
})
