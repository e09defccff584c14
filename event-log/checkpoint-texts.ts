/**
 * The texts of revocations on disk as a walk over all of them, for those who must tell them anew.
 *
 * @module
 */
import type { RevocationText } from './checkpoint-changes.ts'

/** A text, and the sequence number of its revocation, see `LiveKey`. */
export interface PlacedText {
  readonly sequence: number
  readonly text: RevocationText
}

/** The texts of what an adapter holds, as far as they are written. */
export interface TextsOnDisk {
  /** Resolves when everything that was applied until now is on disk. */
  flush(): Promise<void>
  /** The next texts after a sequence number, in order; fewer than `limit` at the end. */
  textsAfter(sequence: number, limit: number): readonly PlacedText[]
}
