/**
 * Waiting for an abort, and signals that abort with others.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Waits for a promise, or until the signal aborts; afterwards nothing of it listens to the signal. */
export async function unlessAborted(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const stopped = new Promise<void>(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { signal: over.signal })
  })
  try {
    await Promise.race([waiting, stopped])
  } finally {
    over.abort()
  }
}

/** A signal that aborts with another one, or by itself. Any number may listen. */
export function childSignal(parent: AbortSignal): {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
} {
  const own = new AbortController()
  const signal = AbortSignal.any([parent, own.signal])
  setMaxListeners(0, signal)
  return { signal, abort: reason => own.abort(reason) }
}
