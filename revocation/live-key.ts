/**
 * What is live under one key: up to 64 revocations singly, those beyond merged. Its entry is their union.
 *
 * @module
 */
import { latestSeconds } from './time.ts'

/** Most revocations of one key that can be restored one by one. */
export const singlesLimit = 64

/** Times of a revocation, seconds: a block has the latest time there is as issuedBefore. */
export interface Times {
  readonly expiresAt: number
  readonly issuedBefore: number
}

/** Nothing is revoked: the entry of a key whose revocations were restored. */
export const restoredTimes: Times = { expiresAt: 0, issuedBefore: 0 }

/** Both revocations at once: the later expiresAt, the later issuedBefore. */
export const mergeTimes = (a: Times, b: Times): Times => ({
  expiresAt: Math.max(a.expiresAt, b.expiresAt),
  issuedBefore: Math.max(a.issuedBefore, b.issuedBefore),
})

/** The revocations of one key. */
export class LiveKey {
  /** Position in the log at which the entry last changed. */
  changedAt = 0
  /** Until when a tombstone is kept: the latest expiry of what was restored, seconds. */
  restoredUntil = 0
  /** The number of its claim set, see `ClaimSets`. */
  readonly claimSet: number
  /** More than 64 revocations were merged; those cannot be restored singly. */
  merged: Times | undefined
  readonly #singles = new Map<string, Times>()

  constructor(claimSet: number) {
    this.claimSet = claimSet
  }

  /** What enforcers are sent. */
  get entry(): Times {
    let times = this.merged ?? restoredTimes
    for (const single of this.#singles.values()) times = mergeTimes(times, single)
    return times
  }

  /** When nothing of it is needed any more, seconds. */
  get lastNeededAt(): number {
    return Math.max(this.entry.expiresAt, this.restoredUntil)
  }

  /** Adds a revocation; one with an id that is there already is the same revocation. */
  add(id: string, times: Times): void {
    const same = this.#singles.get(id)
    if (same !== undefined || this.#singles.size < singlesLimit) {
      this.#singles.set(id, same === undefined ? times : mergeTimes(same, times))
    } else {
      this.merged = mergeTimes(this.merged ?? restoredTimes, times)
    }
  }

  /** Removes a revocation, and keeps the key as a tombstone until it would have expired. */
  restore(id: string, expiresAt: number): void {
    this.#singles.delete(id)
    this.restoredUntil = Math.max(this.restoredUntil, expiresAt)
  }

  /** Makes cuts last longer, after the longest token lifetime has grown. Blocks stay as they are. */
  prolongCuts(seconds: number): void {
    const longer = (times: Times): Times => prolong(times, seconds)
    for (const [id, times] of this.#singles) this.#singles.set(id, longer(times))
    if (this.merged !== undefined) this.merged = longer(this.merged)
    if (this.restoredUntil > 0) this.restoredUntil = Math.min(latestSeconds, this.restoredUntil + seconds)
  }
}

const prolong = (times: Times, seconds: number): Times =>
  times.issuedBefore === latestSeconds
    ? times
    : { ...times, expiresAt: Math.min(latestSeconds, times.expiresAt + seconds) }
