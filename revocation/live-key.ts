/**
 * What is live under one key: up to 64 revocations singly, those beyond merged. Its entry is their union.
 *
 * A sequence number counts what was ever read: it is the position in the log, moved behind all earlier numbers when the
 * log begins anew. So what a log held that is gone can be told from what the log holds, without changing it.
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

const covers = (times: Times, others: Times): boolean =>
  times.expiresAt >= others.expiresAt && times.issuedBefore >= others.issuedBefore

/** One revocation of a key. */
export interface Single {
  readonly id: string
  readonly times: Times
  /** Sequence number of the longest of its copies in the log, the last of them. */
  readonly sequence: number
}

/** Revocations beyond the limit, and where the log last holds the one that lasts longest. */
export interface Merged {
  readonly times: Times
  readonly sequence: number
}

/** What is kept of a key. */
export interface LiveKeyImage {
  readonly changedAt: number
  readonly restoredUntil: number
  readonly claimSet: number | undefined
  readonly merged: Merged | undefined
  readonly mergedLeftover: Times | undefined
  readonly singles: readonly Single[]
}

/** What a walk over all keys tells of each. */
export interface LiveEntry {
  /** What enforcers are sent. */
  readonly entry: Times
  /** Sequence number at which the entry last changed. */
  readonly changedAt: number
  /** When nothing of it is needed any more, seconds. */
  readonly lastNeededAt: number
  /** Whether something of it was enforced and the log does not hold it (any more). */
  readonly hasLeftovers: boolean
}

/** The revocations of one key: a copy of what is held. */
export class LiveKey implements LiveEntry {
  changedAt = 0
  /** Until when a tombstone is kept: the latest expiry of what was restored, seconds. */
  restoredUntil = 0
  /** The number of its claim set, see `ClaimSets`; unknown as long as only restorations were read. */
  claimSet: number | undefined
  /** Sequence number at which the log begins: what has an earlier one is a leftover. */
  readonly #since: number
  #merged: Merged | undefined
  #mergedLeftover: Times | undefined
  /** Never changed in place: images share it. */
  #singles: readonly Single[] = []
  #entry: Times = restoredTimes

  constructor(since: number) {
    this.#since = since
  }

  get entry(): Times {
    return this.#entry
  }

  /** What of {@link entry} the log holds. */
  get logged(): Times {
    return unionOf(
      this.#singles.filter(single => this.#isLogged(single)),
      this.#merged,
      undefined,
    )
  }

  /** More than 64 revocations were merged; those cannot be restored singly. */
  get merged(): Merged | undefined {
    return this.#merged
  }

  /** Those that are held one by one. */
  get singles(): readonly Single[] {
    return this.#singles
  }

  /** How many revocations are held: merged ones count as one. */
  get size(): number {
    const merged = this.#merged ?? this.#mergedLeftover
    return this.#singles.length + (merged === undefined ? 0 : 1)
  }

  /** What is kept of it: it does not change with it. */
  get image(): LiveKeyImage {
    const { changedAt, restoredUntil, claimSet } = this
    const [merged, mergedLeftover, singles] = [this.#merged, this.#mergedLeftover, this.#singles]
    return { changedAt, restoredUntil, claimSet, merged, mergedLeftover, singles }
  }

  /**
   * The key of an image. If the log has begun anew since, what it held then are leftovers, and only the log may restore:
   * what was restored before is forgotten.
   *
   * @param since sequence number at which the log begins.
   */
  static from(image: LiveKeyImage, since: number): LiveKey {
    const live = new LiveKey(since)
    const { changedAt, singles, merged, mergedLeftover } = image
    live.changedAt = changedAt
    live.restoredUntil = changedAt < since ? 0 : image.restoredUntil
    live.claimSet = image.claimSet
    if (merged === undefined || live.#isLogged(merged)) live.#hold(singles, merged, mergedLeftover)
    else live.#hold(singles, undefined, mergeTimes(merged.times, mergedLeftover ?? restoredTimes))
    return live
  }

  /** The revocation with this id, if it is held singly: what the log holds of it, else what is left over. */
  find(id: string): Single | undefined {
    return this.#singles.find(single => single.id === id)
  }

  get hasLeftovers(): boolean {
    return this.#mergedLeftover !== undefined || this.#singles.some(single => !this.#isLogged(single))
  }

  /** Whether nothing is revoked, and what was restored was so only by a log that is gone. */
  get isForgotten(): boolean {
    return this.size === 0 && this.changedAt < this.#since
  }

  get lastNeededAt(): number {
    return Math.max(this.#entry.expiresAt, this.restoredUntil)
  }

  /** Adds a revocation that the log holds; one with an id that is there already is the same revocation. */
  add(id: string, times: Times, sequence: number): void {
    const held = this.#singles.filter(single => single.id === id)
    if (held.length === 0 && this.#singles.length >= singlesLimit) {
      const merged = this.#lasting(this.#merged ?? { times: restoredTimes, sequence }, { times, sequence })
      this.#hold(this.#singles, merged, this.#mergedLeftover)
      return
    }
    const same = held.find(single => this.#isLogged(single))
    const added = { id, times, sequence }
    const single = same === undefined ? added : this.#lasting(same, added)
    // The log may say less of it than what was lost: then that is still not something that the log holds.
    const rest = held.filter(one => !this.#isLogged(one) && !covers(single.times, one.times))
    this.#hold([...this.#without(id), single, ...rest], this.#merged, this.#mergedLeftover)
  }

  /**
   * Removes a revocation, and keeps the key as a tombstone until it would have expired.
   *
   * @returns when that is: not before `expiresAt`.
   */
  restore(id: string, expiresAt: number): number {
    const held = this.#singles.filter(single => single.id === id)
    const until = Math.max(expiresAt, ...held.map(({ times }) => times.expiresAt))
    this.#hold(this.#without(id), this.#merged, this.#mergedLeftover)
    this.restoredUntil = Math.max(this.restoredUntil, until)
    return until
  }

  /** Forgets revocations that expired while others live on, so that they do not count against the limit. */
  dropExpired(expiredAt: number): void {
    const isLive = (times: Times) => times.expiresAt > expiredAt
    const [merged, leftover] = [this.#merged, this.#mergedLeftover]
    this.#hold(
      this.#singles.filter(single => isLive(single.times)),
      merged !== undefined && isLive(merged.times) ? merged : undefined,
      leftover !== undefined && isLive(leftover) ? leftover : undefined,
    )
  }

  /** Gives its revocations other times: how long tokens may live has changed. */
  retime(timesOf: (times: Times) => Times): void {
    const [merged, leftover] = [this.#merged, this.#mergedLeftover]
    this.#hold(
      this.#singles.map(single => ({ ...single, times: timesOf(single.times) })),
      merged === undefined ? undefined : { ...merged, times: timesOf(merged.times) },
      leftover === undefined ? undefined : timesOf(leftover),
    )
  }

  /** Both, at the place of the one that lasts longer, or else of the later one: trimming keeps what is there. */
  #lasting<T extends Merged>(known: T, later: T): T {
    const isShorter = later.times.expiresAt < known.times.expiresAt
    return {
      ...later,
      times: mergeTimes(known.times, later.times),
      sequence: isShorter ? known.sequence : later.sequence,
    }
  }

  #isLogged({ sequence }: Merged): boolean {
    return sequence >= this.#since
  }

  #without(id: string): readonly Single[] {
    return this.#singles.filter(single => single.id !== id)
  }

  #hold(singles: readonly Single[], merged: Merged | undefined, mergedLeftover: Times | undefined): void {
    this.#singles = singles
    this.#merged = merged
    this.#mergedLeftover = mergedLeftover
    this.#entry = unionOf(singles, merged, mergedLeftover)
  }
}

function unionOf(
  singles: readonly Single[],
  merged: Merged | undefined,
  mergedLeftover: Times | undefined,
): Times {
  let union = singles[0]?.times ?? restoredTimes
  for (let index = 1; index < singles.length; index++)
    union = mergeTimes(union, (singles[index] as Single).times)
  if (merged !== undefined) union = mergeTimes(union, merged.times)
  return mergedLeftover === undefined ? union : mergeTimes(union, mergedLeftover)
}
