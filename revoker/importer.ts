/**
 * Something that goes on importing until it is closed, whatever happens to what it reads from.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** A running importer. */
export interface Importer {
  /** Stops taking messages and lets what is being stored end; what is not stored stays where it is. */
  close(): Promise<void>
}

const retryMsMin = 200
const retryMsMax = 10_000
/** Whoever worked for so long has not failed at once. */
const workedMs = 30_000

/**
 * Calls `run` again whenever it ends, with a pause that grows as long as it fails at once.
 *
 * @param onFailure told of each failure but those by closing.
 */
export function keepRunning(
  run: (closing: AbortSignal) => Promise<void>,
  onFailure: (error: unknown, retryMs: number) => void,
): Importer {
  const closing = new AbortController()
  const { signal } = closing
  // Every message that waits for the log listens to it.
  setMaxListeners(0, signal)
  const keep = async () => {
    let retryMs = retryMsMin
    while (!signal.aborted) {
      const startedMs = performance.now()
      try {
        await run(signal)
      } catch (error) {
        if (!signal.aborted) onFailure(error, retryMs)
      }
      if (performance.now() - startedMs > workedMs) retryMs = retryMsMin
      await delay(retryMs, undefined, { signal }).catch(() => undefined)
      retryMs = Math.min(retryMsMax, retryMs * 2)
    }
  }
  const keeping = keep()
  return {
    async close() {
      closing.abort()
      await keeping
    },
  }
}
