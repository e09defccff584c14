/**
 * Entries of a run of messages that weaken what the table holds (restored, or a shorter time). They wait for the last
 * message of the run: in between, the revocation that rejects the same tokens now may not have arrived yet.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import type { EntryVisitor } from '../../revocation/segment.ts'
import type { RevocationTable } from '../../revocation/table.ts'
import { type Snapshot, storeEntry } from './snapshot.ts'

type Words = Parameters<EntryVisitor>

/** Most entries that wait; a run with more is refused, and a full state, which is swapped in at once, comes instead. */
const waitingLimit = 50_000

/** The entries that wait, each key's last one. */
export class Lowerings {
  readonly #waiting = new Map<string, Words>()

  /** Stores what strengthens the table, and keeps what does not. */
  strengthen(table: RevocationTable, words: Words): void {
    const isStored = table.raise(...words)
    if (isStored && this.#waiting.size === 0) return
    const key = `${words[0]} ${words[1]} ${words[2]} ${words[3]}`
    this.#waiting.delete(key)
    if (isStored) return
    if (this.#waiting.size >= waitingLimit) {
      throw new RescindError('ERR_BATCH_INVALID', `more than ${waitingLimit} restored revocations at once`)
    }
    this.#waiting.set(key, words)
  }

  /** Stores what waited: all at once, together with the version that says so. */
  apply(snapshot: Snapshot): void {
    for (const words of this.#waiting.values()) storeEntry(snapshot, words)
    this.#waiting.clear()
  }

  /** Forgets what waited: the stream ended, and what it lacks will be sent again. */
  clear(): void {
    this.#waiting.clear()
  }
}
