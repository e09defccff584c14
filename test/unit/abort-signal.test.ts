/** Waiting beside an abort. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { unlessAborted } from '../../runtime/abort-signal.ts'

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

test('a wait that is over leaves nothing at a signal that lives on', async () => {
  const { signal } = new AbortController()
  await unlessAborted(Promise.resolve(), signal)
  await assert.rejects(unlessAborted(Promise.reject(new Error('failed')), signal), /failed/)
  assert.equal(listenersOf(signal), 0)
})

test('a wait ends when its signal aborts, or has aborted', async () => {
  const stop = new AbortController()
  const waiting = unlessAborted(new Promise(() => undefined), stop.signal)
  stop.abort()
  await waiting
  await unlessAborted(new Promise(() => undefined), stop.signal)
})
