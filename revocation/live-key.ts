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

const covers = (times: Times, others: Times): boolean =>
  times.expiresAt >= others.expiresAt && times.issuedBefore >= others.issuedBefore

/** One revocation of a key. */
export interface Single {
  readonly id: string
  readonly times: Times
  /** Where the log last holds the longest of its copies; {@link leftoverPosition} if it was enforced and the log does not hold it (any more). */
  readonly position: number
}

/** Revocations beyond the limit, and where the log last holds the one that lasts longest. */
export interface Merged {
  readonly times: Times
  readonly position: number
}

/** What a checkpoint keeps of a key. */
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
  /** Position in the log at which the entry last changed; -1 if the log says nothing of the key. */
  readonly changedAt: number
  /** When nothing of it is needed any more, seconds. */
  readonly lastNeededAt: number
  /** Whether something of it was enforced and the log does not hold it (any more). */
  readonly hasLeftovers: boolean
  /** How many revocations of it are held: merged ones count as one. */
  readonly size: number
}

/** Position of what the log does not hold (any more). */
export const leftoverPosition = -1

/** The revocations of one key. */
export class LiveKey implements LiveEntry {
  changedAt = 0
  /** Until when a tombstone is kept: the latest expiry of what was restored, seconds. */
  restoredUntil = 0
  /** The number of its claim set, see `ClaimSets`; unknown as long as only restorations were read. */
  claimSet: number | undefined
  #merged: Merged | undefined
  #mergedLeftover: Times | undefined
  /** Never changed in place: images share it. */
  #singles: readonly Single[] = []
  #entry: Times = restoredTimes

  get entry(): Times {
    return this.#entry
  }

  /** What of {@link entry} the log holds. */
  get logged(): Times {
    return unionOf(
      this.#singles.filter(({ position }) => position !== leftoverPosition),
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

  get size(): number {
    const merged = this.#merged ?? this.#mergedLeftover
    return this.#singles.length + (merged === undefined ? 0 : 1)
  }

  /** What a checkpoint keeps of it: it does not change with it. */
  get image(): LiveKeyImage {
    const { changedAt, restoredUntil, claimSet } = this
    const [merged, mergedLeftover, singles] = [this.#merged, this.#mergedLeftover, this.#singles]
    return { changedAt, restoredUntil, claimSet, merged, mergedLeftover, singles }
  }

  /** The key that a checkpoint kept. */
  static from(image: LiveKeyImage): LiveKey {
    const live = new LiveKey()
    live.changedAt = image.changedAt
    live.restoredUntil = image.restoredUntil
    live.claimSet = image.claimSet
    live.#hold(image.singles, image.merged, image.mergedLeftover)
    return live
  }

  /** The revocation with this id, if it is held singly: what the log holds of it, else what is left over. */
  find(id: string): Single | undefined {
    return this.#singles.find(single => single.id === id)
  }

  get hasLeftovers(): boolean {
    return (
      this.#mergedLeftover !== undefined ||
      this.#singles.some(({ position }) => position === leftoverPosition)
    )
  }

  get lastNeededAt(): number {
    return Math.max(this.#entry.expiresAt, this.restoredUntil)
  }

  /** Adds a revocation that the log holds; one with an id that is there already is the same revocation. */
  add(id: string, times: Times, position: number): void {
    const held = this.#singles.filter(single => single.id === id)
    if (held.length === 0 && this.#singles.length >= singlesLimit) {
      this.#merge(times, position)
      return
    }
    const same = held.find(single => single.position !== leftoverPosition)
    const single = same === undefined ? { id, times, position } : lasting(same, { id, times, position })
    // The log may say less of it than what was lost: then that is still not something that the log holds.
    const rest = held.filter(one => one.position === leftoverPosition && !covers(single.times, one.times))
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

  /** The log begins anew: what it does not mention again stays as it is, but not as something that the log holds. */
  becomeLeftover(): void {
    this.changedAt = leftoverPosition
    this.restoredUntil = 0
    const byId = new Map<string, Single>()
    for (const { id, times } of this.#singles) {
      const union = mergeTimes(byId.get(id)?.times ?? restoredTimes, times)
      byId.set(id, { id, times: union, position: leftoverPosition })
    }
    const singles = [...byId.values()]
    const merged = [this.#merged?.times, this.#mergedLeftover].filter(times => times !== undefined)
    this.#hold(singles, undefined, merged.length === 0 ? undefined : merged.reduce(mergeTimes))
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

  #merge(times: Times, position: number): void {
    const merged = lasting(this.#merged ?? { times: restoredTimes, position }, { times, position })
    this.#hold(this.#singles, merged, this.#mergedLeftover)
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

/** Both, at the position of the one that lasts longer, or else the later one: trimming keeps what is there. */
function lasting<T extends Merged>(known: T, later: T): T {
  const isShorter = later.times.expiresAt < known.times.expiresAt
  return {
    ...later,
    times: mergeTimes(known.times, later.times),
    position: isShorter ? known.position : later.position,
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
