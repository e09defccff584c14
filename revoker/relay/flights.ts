/**
 * One request at a time for each token: what one of them has found out, the next one finds stored.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

/** Runs what concerns a token in the order of arrival. */
export interface Flights {
  /** @throws RescindError ERR_OVERLOADED if too much waits already. */
  run<Result>(key: string, action: () => Promise<Result>): Promise<Result>
  /** Whether something concerns the token now. */
  has(key: string): boolean
}

/** @param limit most that runs and waits together. */
export function createFlights(limit: number): Flights {
  const last = new Map<string, Promise<unknown>>()
  let count = 0
  return {
    has: key => last.has(key),
    async run(key, action) {
      if (count >= limit) throw new RescindError('ERR_OVERLOADED', `${count} requests wait for others`)
      count++
      const before = last.get(key) ?? Promise.resolve()
      const running = before.then(action, action)
      // What comes after it waits for it, however it ends.
      const ended = running.then(
        () => undefined,
        () => undefined,
      )
      last.set(key, ended)
      try {
        return await running
      } finally {
        count--
        if (last.get(key) === ended) last.delete(key)
      }
    },
  }
}
