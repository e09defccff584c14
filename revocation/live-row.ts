/**
 * A live key on a walk over millions of them: no object for each, but one that tells of each in turn.
 *
 * @module
 */
import type { EntryPacker } from './entries.ts'
import { textOf } from './key-words.ts'
import type { LiveEntry, Times } from './live-key.ts'
import type { Rows } from './rows.ts'

/** Tells of one row; of another one when the walk goes on. */
export class LiveRow implements LiveEntry {
  /** Sequence number at which the log begins. */
  since: number
  #rows: Rows
  #at: number

  constructor(rows: Rows, at: number, since: number) {
    this.#rows = rows
    this.#at = at
    this.since = since
  }

  /** Tells of another row from now on. */
  moveTo(rows: Rows, at: number): true {
    this.#rows = rows
    this.#at = at
    return true
  }

  /** The key, see `keyText`. */
  get text(): string {
    return textOf(this.#rows.key(this.#at))
  }

  get entry(): Times {
    return {
      expiresAt: this.#rows.expiresAt(this.#at),
      issuedBefore: this.#rows.issuedBefore(this.#at),
    }
  }

  get changedAt(): number {
    return this.#rows.changedAt(this.#at)
  }

  get lastNeededAt(): number {
    const restoredUntil = this.changedAt < this.since ? 0 : this.#rows.restoredUntil(this.#at)
    return Math.max(this.#rows.expiresAt(this.#at), restoredUntil)
  }

  /** When nothing of it is needed any more, whichever log restored what was restored, seconds. */
  get neededUntil(): number {
    return Math.max(this.#rows.expiresAt(this.#at), this.#rows.restoredUntil(this.#at))
  }

  get hasLeftovers(): boolean {
    return this.#rows.hasBefore(this.#at, this.since)
  }

  /** How many revocations it has; 2 for several. */
  get size(): 0 | 1 | 2 {
    if (this.hasMore) return 2
    return this.#rows.hasSingle(this.#at) ? 1 : 0
  }

  /** See `LiveKey`. */
  get claimSet(): number | undefined {
    return this.#rows.claimSet(this.#at)
  }

  /** Whether it has several revocations. */
  get hasMore(): boolean {
    return this.#rows.hasMore(this.#at)
  }

  /** See `LiveKey.isForgotten`. */
  get isForgotten(): boolean {
    return this.#rows.isForgotten(this.#at, this.since)
  }

  /** See `Rows.writeTo`. */
  writeTo(bytes: Buffer, offset: number): void {
    this.#rows.writeTo(this.#at, bytes, offset)
  }

  /** Packs its key and entry. */
  packInto(packer: EntryPacker): void {
    const [rows, at] = [this.#rows, this.#at]
    packer.add(
      rows.keyWord(at, 0),
      rows.keyWord(at, 1),
      rows.keyWord(at, 2),
      rows.keyWord(at, 3),
      rows.expiresAt(at),
      rows.issuedBefore(at),
    )
  }
}
