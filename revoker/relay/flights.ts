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

/** Most that runs and waits for one key. */
const keyLimit = 16

/** @param limit most that runs and waits together. */
export function createFlights(limit: number): Flights {
  const last = new Map<string, { readonly ended: Promise<unknown>; count: number }>()
  let count = 0
  return {
    has: key => last.has(key),
    async run(key, action) {
      const before = last.get(key)
      const waiting = before?.count ?? 0
      if (count >= limit || waiting >= keyLimit)
        throw new RescindError('ERR_OVERLOADED', `${count} requests wait, ${waiting} of them for this token`)
      count++
      const running = before === undefined ? action() : before.ended.then(action)
      // What comes after it waits for it, however it ends.
      const ended = running.then(
        () => undefined,
        () => undefined,
      )
      const own = { ended, count: waiting + 1 }
      last.set(key, own)
      try {
        return await running
      } finally {
        count--
        const latest = last.get(key)
        if (latest === own) last.delete(key)
        else if (latest !== undefined) latest.count--
      }
    },
  }
}
