/**
 * The keys of a live state, in the order of their last change, and how many revocations they hold.
 *
 * @module
 */
import { type LiveEntry, LiveKey, leftoverPosition, type Times } from './live-key.ts'
import { LiveRows } from './live-rows.ts'
import { latestSeconds } from './time.ts'

/** Whom the keys tell of changes. */
export interface KeyListeners {
  /** A key's entry changed, or what was a leftover is in the log again. */
  changed(key: string, live: LiveKey): void
  /** Anything of a key changed; undefined if it is forgotten. */
  touched(key: string, live: LiveKey | undefined): void
  /** A claim set has one live key more (1) or less (-1). */
  counted(claimSet: number, change: 1 | -1): void
}

/** Before everything, also before what the log does not hold. */
const beforeLeftovers = leftoverPosition - 1

/** Keys by their text, see `keyText`. */
export class LiveKeys {
  readonly #rows = new LiveRows()
  readonly #listeners: KeyListeners
  /** How many keys have something that the log does not hold (any more). */
  #leftovers = 0
  #revocations = 0
  #pruning: Iterator<readonly [string, LiveEntry]> | undefined

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

  /** What is held under a key: a copy. */
  get(text: string): LiveKey | undefined {
    return this.#rows.get(text)
  }

  /**
   * Keys that changed after a position, in the order of their last change. What changes meanwhile comes at the end; a key
   * may come twice.
   */
  changedAfter(position: number): Generator<readonly [text: string, live: LiveEntry]> {
    return this.#rows.after(position)
  }

  /** All, leftovers first; otherwise as {@link changedAfter}. */
  all(): Generator<readonly [text: string, live: LiveEntry]> {
    return this.#rows.after(beforeLeftovers)
  }

  /** Keys with something that was enforced and that the log does not hold (any more). */
  *leftovers(): Generator<readonly [text: string, live: LiveEntry]> {
    if (this.#leftovers === 0) return
    yield* this.#rows.after(beforeLeftovers, true)
  }

  /** Takes over a key from a checkpoint, at the end. */
  load(text: string, live: LiveKey): void {
    this.#rows.append(text, live)
    this.#tally(live, 1)
    if (live.entry.expiresAt > 0) this.#count(live, 1)
  }

  /**
   * Lets `change` alter a key, which is created if it is not there; if it is new, had something left over, or its entry is
   * another one then, it moves to the end.
   *
   * @param position of the event that changes it.
   */
  change(text: string, position: number, change: (live: LiveKey) => void): void {
    const known = this.#rows.get(text)
    const live = known ?? new LiveKey()
    const { entry: before, hasLeftovers } = live
    if (known !== undefined) this.#tally(live, -1)
    change(live)
    this.#tally(live, 1)
    const { entry: after } = live
    const isSame = after.expiresAt === before.expiresAt && after.issuedBefore === before.issuedBefore
    // What was left over, the log may say only now: whoever resumes from before that must be told.
    if (known !== undefined && isSame && !hasLeftovers && live.changedAt !== leftoverPosition) {
      this.#rows.replace(text, live)
    } else {
      live.changedAt = position
      this.#rows.append(text, live)
      if (before.expiresAt === 0 && after.expiresAt > 0) this.#count(live, 1)
      if (before.expiresAt > 0 && after.expiresAt === 0) this.#count(live, -1)
      this.#listeners.changed(text, live)
    }
    this.#listeners.touched(text, live)
  }

  /** What is held stays until it expires, but not as something that the log holds. */
  becomeLeftovers(): void {
    for (const [text] of this.all()) {
      const live = this.#rows.get(text) as LiveKey
      this.#tally(live, -1)
      live.becomeLeftover()
      this.#tally(live, 1)
      this.#rows.replace(text, live)
      if (live.size === 0) this.#forget(text)
      else this.#listeners.touched(text, live)
    }
  }

  /** Gives cuts other times: how long tokens may live has changed at a position. */
  retimeCuts(position: number, timesOf: (times: Times) => Times): void {
    for (const [text, { entry, changedAt }] of this.all()) {
      // Those that have been given other times already come again at the end.
      if (changedAt === position || entry.issuedBefore === latestSeconds || entry.expiresAt === 0) continue
      this.change(text, position, live => live.retime(timesOf))
    }
  }

  /**
   * Looks at some keys in turn and forgets those that expired.
   *
   * @returns true when all had their turn once more.
   */
  pruneStep(expiredAt: number, keysLimit: number): boolean {
    this.#pruning ??= this.all()
    for (let looked = 0; looked < keysLimit; looked++) {
      const next = this.#pruning.next()
      if (next.done === true) {
        this.#pruning = undefined
        return true
      }
      const [text, live] = next.value
      if (live.lastNeededAt <= expiredAt) this.#forget(text)
      else if (live.size > 1) this.#dropExpired(text, expiredAt)
    }
    return false
  }

  #dropExpired(text: string, expiredAt: number): void {
    const live = this.#rows.get(text) as LiveKey
    if (live.entry.expiresAt <= expiredAt) return
    this.#tally(live, -1)
    live.dropExpired(expiredAt)
    this.#tally(live, 1)
    this.#rows.replace(text, live)
  }

  #forget(text: string): void {
    const live = this.#rows.get(text) as LiveKey
    this.#rows.delete(text)
    this.#tally(live, -1)
    if (live.entry.expiresAt > 0) this.#count(live, -1)
    this.#listeners.touched(text, undefined)
  }

  /** Adds to the totals what a key holds (1), or takes it from them (-1). */
  #tally(live: LiveKey, sign: 1 | -1): void {
    this.#revocations += sign * live.size
    if (live.hasLeftovers) this.#leftovers += sign
  }

  #count({ claimSet }: LiveKey, change: 1 | -1): void {
    if (claimSet !== undefined) this.#listeners.counted(claimSet, change)
  }
}
