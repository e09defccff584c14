/**
 * The keys of a live state, in the order of their last change, and how many revocations they hold.
 *
 * @module
 */
import { type LiveEntry, LiveKey, type LiveKeyImage, type Times } from './live-key.ts'
import type { LiveRow } from './live-row.ts'
import { type KeptKey, LiveRows, type PackedKey } from './live-rows.ts'
import { latestSeconds } from './time.ts'

/** Whom the keys tell of changes. */
export interface KeyListeners {
  /** A key's entry changed, or what was a leftover is in the log again. */
  changed(key: string, live: LiveEntry): void
  /** Anything of a key changed: what it was, and what it is; undefined if it is not held. */
  touched(key: string, before: LiveKeyImage | undefined, after: LiveKeyImage | undefined): void
  /** A claim set has one live key more (1) or less (-1). */
  counted(claimSet: number, change: 1 | -1): void
}

/** Keys by their text, see `keyText`. */
export class LiveKeys {
  readonly #rows = new LiveRows()
  readonly #listeners: KeyListeners
  /** How many keys have a revocation. */
  #held = 0
  /** How many keys have something that the log does not hold (any more). */
  #leftovers = 0
  #revocations = 0
  #pruning: Iterator<LiveRow> | undefined

  constructor(listeners: KeyListeners) {
    this.#listeners = listeners
  }

  /** Keys that are held, tombstones included. */
  get size(): number {
    return this.#rows.size
  }

  /** Revocations that are held, those of one key beyond 64 as one. */
  get revocations(): number {
    return this.#revocations
  }

  /** Sequence number at which the log begins; see `LiveKey`. */
  get since(): number {
    return this.#rows.since
  }

  /** What is held under a key: a copy. */
  get(text: string): LiveKey | undefined {
    const live = this.#rows.get(text)
    return live?.isForgotten ? undefined : live
  }

  /**
   * Keys that changed after a sequence number, in the order of their last change. What changes meanwhile comes at the
   * end; a key may come twice.
   */
  changedAfter(sequence: number): Generator<LiveRow> {
    return this.#rows.after(sequence)
  }

  /** Keys with something that was enforced and that the log does not hold (any more). */
  *leftovers(): Generator<LiveRow> {
    if (this.#leftovers > 0) yield* this.#rows.after(beforeAll, 'leftovers')
  }

  /** What a checkpoint keeps of a key; undefined if it is not there. */
  kept(text: string): KeptKey | undefined {
    return this.#rows.kept(text)
  }

  /**
   * Takes over what a checkpoint kept; only while nothing is held. What comes later counts.
   *
   * @param since sequence number at which the log begins.
   */
  load(keys: Iterable<PackedKey>, since: number): void {
    this.#rows.since = since
    for (const key of keys) this.#rows.load(key)
    for (const row of this.#rows.after(beforeAll, 'any')) {
      const live = row.hasMore ? (this.#rows.get(row.text) as LiveKey) : row
      this.#tally(live, 1)
      if (live.entry.expiresAt > 0) this.#count(live, 1)
    }
  }

  /**
   * Lets `change` alter a key, which is created if it is not there; if it is new, had something left over, or its entry is
   * another one then, it moves to the end.
   *
   * @param sequence number of the event that changes it.
   */
  change(text: string, sequence: number, change: (live: LiveKey) => void): void {
    const known = this.#rows.get(text)
    const before = known?.image
    const live = known ?? new LiveKey(this.since)
    const { entry, hasLeftovers, lastNeededAt } = live
    if (known !== undefined) this.#tally(live, -1)
    change(live)
    this.#tally(live, 1)
    const { entry: after } = live
    const isSame = after.expiresAt === entry.expiresAt && after.issuedBefore === entry.issuedBefore
    // A checkpoint keeps what stays in its place only as long as when it was put there.
    const isLonger = live.lastNeededAt > lastNeededAt
    // What was left over, the log may say only now: whoever resumes from before that must be told.
    if (known !== undefined && isSame && !isLonger && !hasLeftovers && live.changedAt >= this.since) {
      this.#rows.replace(text, live)
    } else {
      live.changedAt = sequence
      this.#rows.append(text, live)
      if (entry.expiresAt === 0 && after.expiresAt > 0) this.#count(live, 1)
      if (entry.expiresAt > 0 && after.expiresAt === 0) this.#count(live, -1)
      this.#listeners.changed(text, live)
    }
    this.#listeners.touched(text, before, live.image)
  }

  /**
   * The log begins anew: what is held stays until it expires, but not as something that the log holds.
   *
   * @param since the next sequence number.
   */
  becomeLeftovers(since: number): void {
    this.#rows.since = since
    this.#leftovers = this.#held
  }

  /** Gives cuts other times: how long tokens may live has changed at a sequence number. */
  retimeCuts(sequence: number, timesOf: (times: Times) => Times): void {
    for (const row of this.changedAfter(beforeAll)) {
      const { entry, changedAt } = row
      // Those that have been given other times already come again at the end.
      if (changedAt === sequence || entry.issuedBefore === latestSeconds || entry.expiresAt === 0) continue
      if (!row.hasMore && timesOf(entry).expiresAt === entry.expiresAt) continue
      this.change(row.text, sequence, live => live.retime(timesOf))
    }
  }

  /**
   * Looks at some keys in turn and forgets those that expired.
   *
   * @returns true when all had their turn once more.
   */
  pruneStep(expiredAt: number, keysLimit: number): boolean {
    this.#pruning ??= this.#rows.after(beforeAll, 'any')
    for (let looked = 0; looked < keysLimit; looked++) {
      const next = this.#pruning.next()
      if (next.done === true) {
        this.#pruning = undefined
        return true
      }
      const row = next.value
      if (row.lastNeededAt <= expiredAt) this.#forget(row.text)
      else if (row.hasMore) this.#dropExpired(row.text, expiredAt)
    }
    return false
  }

  #dropExpired(text: string, expiredAt: number): void {
    const live = this.#rows.get(text) as LiveKey
    if (live.entry.expiresAt <= expiredAt) return
    const [before, { size }] = [live.image, live]
    this.#tally(live, -1)
    live.dropExpired(expiredAt)
    this.#tally(live, 1)
    if (live.size === size) return
    this.#rows.replace(text, live)
    this.#listeners.touched(text, before, live.image)
  }

  #forget(text: string): void {
    const live = this.#rows.get(text) as LiveKey
    this.#rows.delete(text)
    this.#tally(live, -1)
    if (live.entry.expiresAt > 0) this.#count(live, -1)
    this.#listeners.touched(text, live.image, undefined)
  }

  /** Adds to the totals what a key holds (1), or takes it from them (-1). */
  #tally(live: Counted, sign: 1 | -1): void {
    this.#revocations += sign * live.size
    if (live.size > 0) this.#held += sign
    if (live.hasLeftovers) this.#leftovers += sign
  }

  #count({ claimSet }: Counted, change: 1 | -1): void {
    if (claimSet !== undefined) this.#listeners.counted(claimSet, change)
  }
}

/** What is counted of a key. */
type Counted = Pick<LiveKey, 'size' | 'hasLeftovers' | 'claimSet'>

/** Before the first sequence number, and what was merged and left over. */
const beforeAll = -2
