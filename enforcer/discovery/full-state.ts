/**
 * A full state while it arrives: a table beside the one that checks are answered from. A full state never forgets: what
 * is held and was not mentioned is taken over before the two are swapped. No I/O.
 *
 * @module
 */
import { visitEntries } from '../../revocation/entries.ts'
import type { EntryVisitor } from '../../revocation/segment.ts'
import { RevocationTable } from '../../revocation/table.ts'
import type { Snapshot } from './snapshot.ts'

type Words = Parameters<EntryVisitor>

/** What is held while another state arrives. */
type Held = Pick<Snapshot, 'table' | 'kept'>

/** A full state that is not complete yet; what is held stays as it is until {@link swapInto}. */
export class FullState {
  readonly #table = new RevocationTable()
  /** See `Snapshot.kept`. */
  readonly #kept = new RevocationTable()
  #keptUntil = 0

  /** When the last of the entries that the log may not hold expires, seconds; 0 if there was none. */
  get keptUntil(): number {
    return this.#keptUntil
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
      this.#keptUntil = Math.max(this.#keptUntil, words[4])
    })
  }

  /**
   * Takes over what is held and was not mentioned, not even as restored. Of a log that had lost its tail, and of what was
   * kept of one, whatever rejects more stays: what such a log says of a key may be older than what is held.
   *
   * @param expiredAt entries that expired at or before this are not taken over.
   */
  *takeOver({ table, kept }: Held, expiredAt: number, rolledBack: boolean): Generator<void> {
    yield* table.visit((...words) => {
      const [k0, k1, k2, k3, expiresAt] = words
      if (expiresAt <= expiredAt) return
      if (!rolledBack && this.#table.has(k0, k1, k2, k3)) return
      this.#table.raise(...words)
      this.#keptUntil = Math.max(this.#keptUntil, expiresAt)
    })
    // Then all that is held is kept, in the table that holds it.
    if (rolledBack) yield* this.#kept.visit(table.raise.bind(table))
    else yield* this.#goOnKeeping(kept, expiredAt)
  }

  *#goOnKeeping(kept: RevocationTable, expiredAt: number): Generator<void> {
    yield* kept.visit((...words) => {
      if (words[4] <= expiredAt) return
      this.#table.raise(...words)
      this.#kept.raise(...words)
      this.#keptUntil = Math.max(this.#keptUntil, words[4])
    })
  }

  /** From now on checks are answered from this state. */
  swapInto(snapshot: Held, rolledBack: boolean): void {
    snapshot.kept = rolledBack ? snapshot.table : this.#kept
    snapshot.table = this.#table
  }
}

/** Whether the table rejects under this key at least as much, and as long. */
const covers = (table: RevocationTable, [k0, k1, k2, k3, expiresAt, issuedBefore]: Words): boolean =>
  table.rejects(k0, k1, k2, k3, issuedBefore, expiresAt - 1)
