/**
 * The texts of revocations on disk as a walk over all of them, for those who must tell them anew.
 *
 * @module
 */
import type { Database } from 'lmdb'
import type { RevocationText } from './checkpoint-changes.ts'

/** A text, and where it stands in the walk. */
export interface PlacedText {
  /** The revocation's key (16 bytes) and its id. */
  readonly place: Buffer
  readonly text: RevocationText
}

/** The texts of an adapter, as far as they are written. */
export interface TextsOnDisk {
  /** Resolves when everything that was applied until now is on disk. */
  flush(): Promise<void>
  /** The next texts after a place, those of one key together; fewer than `limit` at the end. */
  textsAfter(place: Uint8Array | undefined, limit: number): readonly PlacedText[]
}

/** Reads the next texts after a place. */
export function readTextsAfter(
  texts: Database<RevocationText, Buffer>,
  place: Uint8Array | undefined,
  limit: number,
): readonly PlacedText[] {
  // One byte more is the first key that can come after it.
  const start = place === undefined ? {} : { start: Buffer.concat([place, Buffer.alloc(1)]) }
  return [...texts.getRange({ ...start, limit })].map(({ key, value }) => ({ place: key, text: value }))
}
