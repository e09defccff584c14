/** Streams of an adapter whose log turned out to be another one: all begin anew, and nobody forgets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEvent } from '../../revocation/revocation.ts'
import {
  connect,
  createAdapterSide,
  createEnforcerSide,
  enforces,
  isSignOfLife,
  spoil,
} from '../support/discovery.ts'
import { block, digestAt, token } from '../support/revocations.ts'

const revoked = (number: number) => block({ jti: `j${number}` }, 1_000)
const withJti = (number: number) => token({ jti: `j${number}` })

const setUp = () => {
  const clock = { ms: 10_000, seconds: 50 }
  const adapter = createAdapterSide(clock)
  adapter.append(revoked(1), revoked(2))
  adapter.flush()
  const enforcer = createEnforcerSide()
  const link = connect(clock, adapter, enforcer)
  link.settle()
  return { clock, adapter, enforcer, link }
}

/** As the follower does when the log is another one. */
const restart = (adapter: ReturnType<typeof createAdapterSide>, isRollback: boolean) => {
  adapter.state.restart()
  adapter.complete = false
  adapter.restarts += 1
  if (isRollback) adapter.rollbacks += 1
  adapter.batches.skip()
}

test('while the log is read again a stream shows only that it lives', () => {
  const { clock, adapter, link } = setUp()
  restart(adapter, true)
  adapter.state.apply(1, 7n, revoked(3))
  assert.equal(link.write(), undefined)
  clock.ms += 1_000
  assert.ok(isSignOfLife(link.write() as Buffer))
})

test('when it was read, a stream gets the full state, marked as rolled back, with what is left over', () => {
  const { adapter, enforcer, link } = setUp()
  restart(adapter, true)
  adapter.state.epoch = 'epoch-2'
  adapter.state.apply(1, 7n, revoked(3))
  adapter.batches.skip()
  adapter.complete = true
  const batches = link.settle()
  assert.deepEqual([batches.at(0)?.kind, batches.at(-1)?.kind], ['FULL_FIRST', 'FULL_LAST'])
  assert.ok(batches.every(({ rolledBack }) => rolledBack))
  assert.equal(
    batches.reduce((sum, { entries }) => sum + entries.length, 0),
    3 * 24,
  )
  assert.equal(enforcer.snapshot.epoch, 'epoch-2')
  assert.equal(enforcer.snapshot.version, 1)
  for (const number of [1, 2, 3]) assert.ok(enforces(enforcer, withJti(number), 60))
})

test('a log that was trimmed while an adapter was away is no accident for enforcers', () => {
  const { adapter, enforcer, link } = setUp()
  restart(adapter, false)
  adapter.state.epoch = 'epoch-1'
  adapter.state.apply(9, 7n, revoked(2))
  adapter.batches.skip()
  adapter.complete = true
  assert.ok(link.settle().every(({ rolledBack }) => !rolledBack))
  assert.ok(enforces(enforcer, withJti(1), 60))
})

test('an accident is not forgotten because the log was trimmed right after it', () => {
  const { adapter, link } = setUp()
  restart(adapter, true)
  assert.equal(link.write(), undefined)
  restart(adapter, false)
  adapter.state.apply(9, 7n, revoked(2))
  adapter.batches.skip()
  adapter.complete = true
  assert.ok(link.settle().every(({ rolledBack }) => rolledBack))
})

test('a stream that was opened while the log was read again waits, and then goes on where it can', () => {
  const { clock, adapter, enforcer } = setUp()
  adapter.complete = false
  const link = connect(clock, adapter, enforcer)
  assert.equal(link.write(), undefined)
  adapter.complete = true
  assert.deepEqual(
    link.settle().map(({ kind }) => kind),
    ['DELTA'],
  )
})

test('an enforcer that resumes before the seam gets what is left over, and only ever strengthens it', () => {
  const { clock, adapter } = setUp()
  const other = createEnforcerSide()
  adapter.append(block({ sub: 'lost' }, 900))
  restart(adapter, true)
  adapter.state.epoch = 'epoch-1'
  adapter.state.apply(1, digestAt(1), revoked(1))
  adapter.batches.skip()
  adapter.complete = true
  const link = connect(clock, adapter, other)
  link.settle()
  // The same adapter without what is left over: all that the log holds.
  const resumed = createEnforcerSide()
  const plain = createAdapterSide(clock)
  plain.append(revoked(1))
  plain.flush()
  connect(clock, plain, resumed).settle()
  assert.ok(!enforces(resumed, token({ sub: 'lost' }), 60))
  const batches = connect(clock, adapter, resumed).settle()
  assert.ok(batches.every(({ kind }) => kind === 'DELTA'))
  assert.ok(enforces(resumed, token({ sub: 'lost' }), 60))
  const send = (...events: LogEvent[]) => {
    plain.append(...events)
    plain.flush()
    connect(clock, plain, resumed).settle()
  }
  send(block({ sub: 'lost' }, 100))
  assert.ok(enforces(resumed, token({ sub: 'lost' }), 500), 'another adapter knows less of it')
})

test('what was acknowledged before a restart does not count for the positions after it', () => {
  const { adapter, link } = setUp()
  assert.equal(link.session.status.ackedVersion, 2)
  restart(adapter, true)
  link.write()
  assert.equal(link.session.status.ackedVersion, -1)
  adapter.state.epoch = 'epoch-2'
  adapter.state.apply(1, 7n, revoked(3))
  adapter.batches.skip()
  adapter.complete = true
  link.settle()
  assert.equal(link.session.status.ackedVersion, 1)
})

test('an enforcer that refused the full state after an accident is told of the accident with the next one', () => {
  const { clock, adapter, link } = setUp()
  restart(adapter, true)
  adapter.state.epoch = 'epoch-2'
  adapter.state.apply(1, 7n, revoked(3))
  adapter.batches.skip()
  adapter.complete = true
  while (link.write() !== undefined);
  link.down[0] = spoil(link.down[0] as Buffer)
  while (link.read() !== undefined);
  while (link.answer());
  clock.ms += 60_000
  const batches = link.settle()
  assert.equal(batches[0]?.kind, 'FULL_FIRST')
  assert.ok(batches.every(({ rolledBack }) => rolledBack))
})
