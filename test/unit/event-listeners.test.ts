/** Followers of events are a limited number, and who does not keep up is cut off instead of being left out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventListeners, type EventSink } from '../../revoker/admin/event-listeners.ts'
import { block, declare, restore } from '../support/revocations.ts'

function createSink() {
  const written: string[] = []
  const sink = { pendingBytes: 0, isOpen: true }
  return Object.assign(sink, {
    written,
    write: (text: string) => void written.push(text),
    end: () => {
      sink.isOpen = false
    },
  }) satisfies EventSink
}

const entry = { position: 7, digest: 0n, event: new Uint8Array() }
const revocation = block({ sub: 'alice' }, 4_000)

test('an event is told to all, in fields that cannot be broken by what it says', () => {
  const listeners = createEventListeners()
  const [one, two] = [createSink(), createSink()]
  assert.ok(listeners.add(one) && listeners.add(two))
  listeners.applied(entry, { event: { ...revocation, reason: 'a\n\ndata: {"kind":"forged"}\r\n' } })
  assert.deepEqual(one.written, two.written)
  assert.equal(one.written[0], ':\n\n')
  const [id, kind, data, ...end] = (one.written[1] as string).split('\n')
  assert.deepEqual([id, kind, end], ['id: 7', 'event: revocation', ['', '']])
  assert.match(JSON.parse((data as string).slice(6)).id, new RegExp(`^${revocation.id}[0-9a-f]{32}$`))
})

test('what is no revocation, restoration or declaration is not told, nor a dead letter', () => {
  const listeners = createEventListeners()
  const sink = createSink()
  listeners.add(sink)
  listeners.applied(entry, { event: { kind: 'token-lifetime', seconds: 1, declaredAt: 0 } })
  listeners.applied(entry, { event: { kind: 'beat', epoch: '0', founding: false, at: 0 } })
  listeners.applied(entry, { problem: 'not JSON' })
  assert.equal(sink.written.length, 1)
  listeners.applied(entry, { event: restore(revocation) })
  listeners.applied(entry, { event: declare(['iss', 'tenant'], true) })
  assert.deepEqual(
    sink.written.slice(1).map(text => JSON.parse(text.split('data: ')[1] as string).kind),
    ['restoration', 'claim-set'],
  )
})

test('one more than are allowed is not taken, and one that left makes room', () => {
  const listeners = createEventListeners({ listenersLimit: 2 })
  const sinks = [createSink(), createSink(), createSink()] as const
  assert.deepEqual(sinks.map(listeners.add), [true, true, false])
  listeners.remove(sinks[0])
  assert.equal(listeners.add(sinks[2]), true)
})

test('one that has not taken a megabyte is cut off at the next event or beat; the others go on', () => {
  const listeners = createEventListeners({ pendingBytesLimit: 100 })
  const [slow, quick, stuck] = [createSink(), createSink(), createSink()]
  for (const sink of [slow, quick, stuck]) listeners.add(sink)
  slow.pendingBytes = 101
  listeners.applied(entry, { event: revocation })
  assert.deepEqual([slow.isOpen, quick.isOpen], [false, true])
  stuck.pendingBytes = 101
  listeners.beat()
  assert.deepEqual([stuck.isOpen, quick.isOpen], [false, true])
  assert.deepEqual([slow.written.length, quick.written.length], [1, 3])
  listeners.close()
  assert.equal(quick.isOpen, false)
})
