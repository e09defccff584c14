/**
 * The packed entries of a batch: n x 24 bytes, little-endian: key 16, expiresAt u32, issuedBefore u32 (seconds).
 *
 * @module
 */
import { RescindError } from './error.ts'
import { keyBytes } from './key.ts'
import type { EntryVisitor } from './table.ts'

/** Number of the batch format; a batch that names another one is refused. */
export const batchFormat = 1

/** Bytes of a packed entry. */
export const packedEntryBytes = 24

/** The whole state of a key. */
export interface Entry {
  /** 16 bytes, see `deriveKey`. */
  readonly key: Uint8Array
  /** Seconds; 0: restored, nothing is revoked under this key. */
  readonly expiresAt: number
  /** Seconds: tokens with iat at or before it are rejected; a block has the latest time there is. */
  readonly issuedBefore: number
}

/** Packs entries in the order given. */
export function packEntries(entries: readonly Entry[]): Buffer {
  const packed = Buffer.allocUnsafe(entries.length * packedEntryBytes)
  entries.forEach((entry, index) => {
    const offset = index * packedEntryBytes
    packed.set(entry.key, offset)
    packed.writeUInt32LE(entry.expiresAt, offset + keyBytes)
    packed.writeUInt32LE(entry.issuedBefore, offset + keyBytes + 4)
  })
  return packed
}

/**
 * Checks that bytes are packed entries.
 *
 * @returns how many.
 * @throws RescindError ERR_BATCH_INVALID if the length is not a multiple of 24.
 */
export function countEntries(packed: Buffer): number {
  if (packed.length % packedEntryBytes !== 0) {
    throw new RescindError('ERR_BATCH_INVALID', `entries: ${packed.length} bytes is not a multiple of 24`)
  }
  return packed.length / packedEntryBytes
}

/** Entries that are visited before others get a turn: less than a millisecond. */
const sliceEntries = 2_048

/** Visits packed entries without an object for each; pauses between slices, so that an event loop is never held up. */
export function* visitEntries(packed: Buffer, visit: EntryVisitor): Generator<void> {
  const sliceBytes = sliceEntries * packedEntryBytes
  for (let start = 0; start < packed.length; start += sliceBytes) {
    if (start > 0) yield
    visitSlice(packed, start, Math.min(start + sliceBytes, packed.length), visit)
  }
}

function visitSlice(packed: Buffer, start: number, end: number, visit: EntryVisitor): void {
  for (let offset = start; offset < end; offset += packedEntryBytes) {
    visit(
      packed.readUInt32LE(offset),
      packed.readUInt32LE(offset + 4),
      packed.readUInt32LE(offset + 8),
      packed.readUInt32LE(offset + 12),
      packed.readUInt32LE(offset + 16),
      packed.readUInt32LE(offset + 20),
    )
  }
}
