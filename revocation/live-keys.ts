/**
 * The keys of a live state, in the order of their last change, and how many revocations they hold.
 *
 * @module
 */
import { LiveKey, leftoverPosition, type Times } from './live-key.ts'
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

/** Keys by their text, see `keyText`. */
export class LiveKeys {
  readonly #keys = new Map<string, LiveKey>()
  readonly #listeners: KeyListeners
  /** Keys with something that the log does not hold (any more). */
  readonly #leftovers = new Set<string>()
  #revocations = 0
  #pruning: Iterator<[string, LiveKey]> | undefined

  constructor(listeners: KeyListeners) {
    this.#listeners = listeners
  }

  /** Keys that are held, tombstones included. */
  get size(): number {
    return this.#keys.size
  }

  /** Revocations that are held, those of one key beyond 64 as one. */
  get revocations(): number {
    return this.#revocations
  }

  /** What is held under a key. */
  get(text: string): LiveKey | undefined {
    return this.#keys.get(text)
  }

  /** All, leftovers first; what changes meanwhile comes at the end. */
  [Symbol.iterator](): MapIterator<[string, LiveKey]> {
    return this.#keys[Symbol.iterator]()
  }

  /** Keys with something that was enforced and that the log does not hold (any more). */
  *leftovers(): Generator<[string, LiveKey]> {
    for (const text of this.#leftovers) {
      const live = this.#keys.get(text)
      if (live?.hasLeftovers === true) yield [text, live]
      else this.#leftovers.delete(text)
    }
  }

  /** Takes over a key from a checkpoint, at the end. */
  load(text: string, live: LiveKey): void {
    this.#keys.set(text, live)
    if (live.hasLeftovers) this.#leftovers.add(text)
    this.#revocations += live.size
    if (live.entry.expiresAt > 0) this.#count(live, 1)
  }

  /**
   * Lets `change` alter a key, which is created if it is not there; if it is new, a leftover or its entry another one
   * then, it moves to the end.
   *
   * @param position of the event that changes it.
   */
  change(text: string, position: number, change: (live: LiveKey) => void): void {
    const known = this.#keys.get(text)
    const live = known ?? new LiveKey()
    const { entry: before, size } = live
    change(live)
    const { entry: after } = live
    this.#revocations += live.size - size
    const isSame = after.expiresAt === before.expiresAt && after.issuedBefore === before.issuedBefore
    if (known === undefined || !isSame || live.changedAt === leftoverPosition) {
      live.changedAt = position
      if (known !== undefined) this.#keys.delete(text)
      this.#keys.set(text, live)
      if (before.expiresAt === 0 && after.expiresAt > 0) this.#count(live, 1)
      if (before.expiresAt > 0 && after.expiresAt === 0) this.#count(live, -1)
      this.#listeners.changed(text, live)
    }
    this.#listeners.touched(text, live)
  }

  /** What is held stays until it expires, but not as something that the log holds. */
  becomeLeftovers(): void {
    for (const [text, live] of this.#keys) {
      live.becomeLeftover()
      if (live.size === 0) {
        this.#forget(text, live)
      } else {
        this.#leftovers.add(text)
        this.#listeners.touched(text, live)
      }
    }
  }

  /** Gives cuts other times: how long tokens may live has changed at a position. */
  retimeCuts(position: number, timesOf: (times: Times) => Times): void {
    const cuts = [...this.#keys].filter(
      ([, { entry }]) => entry.issuedBefore < latestSeconds && entry.expiresAt > 0,
    )
    for (const [text] of cuts) this.change(text, position, live => live.retime(timesOf))
  }

  /**
   * Looks at some keys in turn and forgets those that expired.
   *
   * @returns true when all had their turn once more.
   */
  pruneStep(expiredAt: number, keysLimit: number): boolean {
    this.#pruning ??= this.#keys[Symbol.iterator]()
    for (let looked = 0; looked < keysLimit; looked++) {
      const next = this.#pruning.next()
      if (next.done === true) {
        this.#pruning = undefined
        return true
      }
      const [text, live] = next.value
      if (live.lastNeededAt <= expiredAt) this.#forget(text, live)
      else this.#dropExpired(live, expiredAt)
    }
    return false
  }

  #dropExpired(live: LiveKey, expiredAt: number): void {
    if (live.entry.expiresAt <= expiredAt || live.size < 2) return
    this.#revocations -= live.size
    live.dropExpired(expiredAt)
    this.#revocations += live.size
  }

  #forget(text: string, live: LiveKey): void {
    this.#keys.delete(text)
    this.#leftovers.delete(text)
    this.#revocations -= live.size
    if (live.entry.expiresAt > 0) this.#count(live, -1)
    this.#listeners.touched(text, undefined)
  }

  #count({ claimSet }: LiveKey, change: 1 | -1): void {
    if (claimSet !== undefined) this.#listeners.counted(claimSet, change)
  }
}
