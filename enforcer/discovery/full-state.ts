/**
 * A full state while it arrives: a table beside the one that checks are answered from. A full state never forgets: what
 * is held and was not mentioned is taken over before the two are swapped. No I/O.
 *
 * @module
 */
import { visitEntries } from '../../revocation/entries.ts'
import type { EntryVisitor } from '../../revocation/segment.ts'
import { RevocationTable } from '../../revocation/table.ts'
import { isKeptKey, type Snapshot } from './snapshot.ts'

type Words = Parameters<EntryVisitor>

/** What is held while another state arrives. */
type Held = Pick<Snapshot, 'table' | 'kept'>

/** A full state that is not complete yet; what is held stays as it is until {@link swapInto}. */
export class FullState {
  readonly #table = new RevocationTable()
  /** Keys that may only get stronger from the swap on, see `Snapshot.kept`. */
  readonly #kept = new RevocationTable()
  /** Keys that stay although the log says that they are restored: it said so before it lost its tail. */
  readonly #restoredBefore: Words[] = []
  #takenOverUntil = 0

  /** When the last of the entries that were taken over expires, seconds; 0 if there was none. */
  get takenOverUntil(): number {
    return this.#takenOverUntil
  }

  /**
   * Makes room, which is cheaper at once than bit by bit.
   *
   * @param entries how many are expected.
   */
  *makeRoom(entries: number): Generator<void> {
    yield* this.#table.reserve(entries)
  }

  /** Takes entries of a message. */
  *add(packed: Buffer): Generator<void> {
    yield* visitEntries(packed, this.#table.set.bind(this.#table))
  }

  /** Takes entries that the log may have lost; if it had lost its tail, what is held as strong is kept anyway. */
  *addLeftovers(packed: Buffer, { table }: Held, rolledBack: boolean): Generator<void> {
    yield* visitEntries(packed, (...words) => {
      this.#table.raise(...words)
      if (!rolledBack || !covers(table, words)) this.#kept.raise(...words)
    })
  }

  /**
   * Takes over what is held and was not mentioned, not even as restored. If the log had lost its tail, what it says of a
   * key may be older than what is held: then whatever rejects more stays.
   *
   * @param expiredAt entries that expired at or before this are not taken over.
   */
  *takeOver({ table, kept }: Held, expiredAt: number, rolledBack: boolean): Generator<void> {
    yield* table.visit((...words) => {
      const expiresAt = words[4]
      if (expiresAt <= expiredAt) return
      if (rolledBack) this.#noteRestored(words)
      else if (!this.#stays(words, kept)) return
      this.#table.raise(...words)
      this.#takenOverUntil = Math.max(this.#takenOverUntil, expiresAt)
    })
    // Then all that is held is kept, in the table that holds it.
    if (rolledBack) yield* this.#kept.visit(table.raise.bind(table))
  }

  #noteRestored(words: Words): void {
    if (this.#isRestored(words)) this.#restoredBefore.push(words)
  }

  /** Whether an entry stays that was held: one that was not mentioned, or that is kept. */
  #stays(words: Words, kept: RevocationTable): boolean {
    const [k0, k1, k2, k3, expiresAt] = words
    if (this.#isRestored(words)) {
      if (!wasRestoredBefore(kept, words)) return false
      this.#kept.raise(k0, k1, k2, k3, expiresAt, restoredBefore)
      return true
    }
    if (!isKeptKey(kept, words)) return !this.#table.has(k0, k1, k2, k3)
    this.#kept.raise(...words)
    return true
  }

  #isRestored([k0, k1, k2, k3]: Words): boolean {
    return this.#table.has(k0, k1, k2, k3) && !this.#table.rejects(k0, k1, k2, k3, 0, 0)
  }

  /** From now on checks are answered from this state. */
  swapInto(snapshot: Held, rolledBack: boolean): void {
    snapshot.kept = rolledBack ? snapshot.table : this.#kept
    snapshot.table = this.#table
    for (const [k0, k1, k2, k3, expiresAt] of this.#restoredBefore)
      snapshot.kept.set(k0, k1, k2, k3, expiresAt, restoredBefore)
  }
}

/** In place of a kept key's issuedBefore: when the log lost its tail, it said already that the key is restored. */
const restoredBefore = 0

/** Whether it is no news that the log says that a kept key is restored. */
const wasRestoredBefore = (kept: RevocationTable, [k0, k1, k2, k3]: Words): boolean => {
  const times = kept.times(k0, k1, k2, k3)
  return times !== undefined && times.expiresAt > 0 && times.issuedBefore === restoredBefore
}

/** Whether the table rejects under this key at least as much, and as long. */
const covers = (table: RevocationTable, [k0, k1, k2, k3, expiresAt, issuedBefore]: Words): boolean =>
  table.rejects(k0, k1, k2, k3, issuedBefore, expiresAt - 1)
