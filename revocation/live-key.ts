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

/** One revocation of a key. */
export interface Single extends Times {
  /** It was enforced, and the log does not hold it (any more). */
  readonly isLeftover: boolean
}

/** What a checkpoint keeps of a key. */
export interface LiveKeyImage {
  readonly changedAt: number
  readonly restoredUntil: number
  readonly claimSet: number | undefined
  readonly merged: Times | undefined
  readonly mergedLeftover: Times | undefined
  readonly singles: readonly (readonly [id: string, single: Single])[]
}

/** {@link LiveKey.changedAt} of a key of which the log says nothing (any more). */
export const leftoverPosition = -1

/** The revocations of one key. */
export class LiveKey {
  /** Position in the log at which the entry last changed; -1 if the log says nothing of the key. */
  changedAt = 0
  /** Until when a tombstone is kept: the latest expiry of what was restored, seconds. */
  restoredUntil = 0
  /** The number of its claim set, see `ClaimSets`; unknown as long as only restorations were read. */
  claimSet: number | undefined
  /** More than 64 revocations were merged; those cannot be restored singly. */
  merged: Times | undefined
  #mergedLeftover: Times | undefined
  readonly #singles = new Map<string, Single>()

  /** What enforcers are sent. */
  get entry(): Times {
    const logged = this.#unionOf(() => true)
    return this.#mergedLeftover === undefined ? logged : mergeTimes(logged, this.#mergedLeftover)
  }

  /** What of {@link entry} the log holds. */
  get logged(): Times {
    return this.#unionOf(single => !single.isLeftover)
  }

  /** How many revocations of it are held: merged ones count as one. */
  get size(): number {
    const merged = this.merged ?? this.#mergedLeftover
    return this.#singles.size + (merged === undefined ? 0 : 1)
  }

  /** What a checkpoint keeps of it: a copy. */
  get image(): LiveKeyImage {
    const { changedAt, restoredUntil, claimSet, merged } = this
    const singles = [...this.#singles]
    return { changedAt, restoredUntil, claimSet, merged, mergedLeftover: this.#mergedLeftover, singles }
  }

  /** The key that a checkpoint kept. */
  static from(image: LiveKeyImage): LiveKey {
    const live = new LiveKey()
    live.changedAt = image.changedAt
    live.restoredUntil = image.restoredUntil
    live.claimSet = image.claimSet
    live.merged = image.merged
    live.#mergedLeftover = image.mergedLeftover
    for (const [id, single] of image.singles) live.#singles.set(id, single)
    return live
  }

  /** Whether a revocation of it is held singly. */
  has(id: string): boolean {
    return this.#singles.has(id)
  }

  /** When nothing of it is needed any more, seconds. */
  get lastNeededAt(): number {
    return Math.max(this.entry.expiresAt, this.restoredUntil)
  }

  /** Adds a revocation that the log holds; one with an id that is there already is the same revocation. */
  add(id: string, times: Times): void {
    const same = this.#singles.get(id)
    if (same !== undefined || this.#singles.size < singlesLimit) {
      const merged = same === undefined ? times : mergeTimes(same, times)
      this.#singles.set(id, { ...merged, isLeftover: false })
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

  /** The log begins anew: what it does not mention again stays as it is, but not as something that the log holds. */
  becomeLeftover(): void {
    this.changedAt = leftoverPosition
    this.restoredUntil = 0
    for (const [id, single] of this.#singles) this.#singles.set(id, { ...single, isLeftover: true })
    if (this.merged === undefined) return
    this.#mergedLeftover = mergeTimes(this.#mergedLeftover ?? restoredTimes, this.merged)
    this.merged = undefined
  }

  /** Forgets revocations that expired while others live on, so that they do not count against the limit. */
  dropExpired(expiredAt: number): void {
    const isOver = (times: Times | undefined) => times !== undefined && times.expiresAt <= expiredAt
    for (const [id, times] of this.#singles) if (isOver(times)) this.#singles.delete(id)
    if (isOver(this.merged)) this.merged = undefined
    if (isOver(this.#mergedLeftover)) this.#mergedLeftover = undefined
  }

  #unionOf(counts: (single: Single) => boolean): Times {
    let times = this.merged ?? restoredTimes
    for (const single of this.#singles.values()) if (counts(single)) times = mergeTimes(times, single)
    return times
  }
}
