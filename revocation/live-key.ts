/**
 * What is live under one key: up to 64 revocations singly, those beyond merged. Its entry is their union.
 *
 * @module
 */

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
  /** The number of its claim set, see `ClaimSets`; unknown as long as only restorations were read. */
  claimSet: number | undefined
  /** More than 64 revocations were merged; those cannot be restored singly. */
  merged: Times | undefined
  readonly #singles = new Map<string, Times>()

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

  /**
   * Removes a revocation, and keeps the key as a tombstone until it would have expired.
   *
   * @returns when that is: not before `expiresAt`.
   */
  restore(id: string, expiresAt: number): number {
    const until = Math.max(expiresAt, this.#singles.get(id)?.expiresAt ?? 0)
    this.#singles.delete(id)
    this.restoredUntil = Math.max(this.restoredUntil, until)
    return until
  }

  /** Forgets revocations that expired while others live on, so that they do not count against the limit. */
  dropExpired(expiredAt: number): void {
    for (const [id, times] of this.#singles) if (times.expiresAt <= expiredAt) this.#singles.delete(id)
    if (this.merged !== undefined && this.merged.expiresAt <= expiredAt) this.merged = undefined
  }
}
