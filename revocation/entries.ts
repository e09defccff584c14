/**
 * The packed entries of a batch: n x 24 bytes, little-endian: key 16, expiresAt u32, issuedBefore u32 (seconds).
 *
 * @module
 */
import { RescindError } from './error.ts'
import { keyBytes } from './key.ts'
import type { EntryVisitor } from './segment.ts'

/** Number of the batch format; a batch that names another one is refused. */
export const batchFormat = 1

/** Bytes of a packed entry. */
export const packedEntryBytes = 24

/** Packs entries one after the other. */
export class EntryPacker {
  #bytes = Buffer.allocUnsafe(firstPackedBytes)
  #view = viewOf(this.#bytes)
  #end = 0

  /** How many were added since the last {@link take}. */
  get count(): number {
    return this.#end / packedEntryBytes
  }

  /**
   * Adds the whole state of a key.
   *
   * @param k0 the first of the four words of the key, see `KeyWords`.
   * @param expiresAt seconds; 0: restored, nothing is revoked under this key.
   * @param issuedBefore seconds: tokens with iat at or before it are rejected; a block has the latest time there is.
   */
  add(k0: number, k1: number, k2: number, k3: number, expiresAt: number, issuedBefore: number): void {
    if (this.#end === this.#bytes.length) this.#grow()
    const [view, end] = [this.#view, this.#end]
    view.setUint32(end, k0)
    view.setUint32(end + 4, k1)
    view.setUint32(end + 8, k2)
    view.setUint32(end + 12, k3)
    view.setUint32(end + keyBytes, expiresAt, true)
    view.setUint32(end + keyBytes + 4, issuedBefore, true)
    this.#end = end + packedEntryBytes
  }

  /** The entries that were added; the packer is empty then. */
  take(): Buffer {
    const packed = this.#bytes.subarray(0, this.#end)
    this.#bytes = Buffer.allocUnsafe(firstPackedBytes)
    this.#view = viewOf(this.#bytes)
    this.#end = 0
    return packed
  }

  #grow(): void {
    const grown = Buffer.allocUnsafe(this.#bytes.length * 2)
    this.#bytes.copy(grown)
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

const firstPackedBytes = 8 * packedEntryBytes

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length)

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

/** Entries that are visited before others get a turn: half a millisecond, or up to two where a table grows. */
const sliceEntries = 512

/** Visits packed entries without an object for each; pauses between slices, so that an event loop is never held up. */
export function* visitEntries(packed: Buffer, visit: EntryVisitor): Generator<void> {
  const sliceBytes = sliceEntries * packedEntryBytes
  const view = viewOf(packed)
  for (let start = 0; start < packed.length; start += sliceBytes) {
    if (start > 0) yield
    visitSlice(view, start, Math.min(start + sliceBytes, packed.length), visit)
  }
}

function visitSlice(view: DataView, start: number, end: number, visit: EntryVisitor): void {
  for (let offset = start; offset < end; offset += packedEntryBytes) {
    visit(
      view.getUint32(offset, true),
      view.getUint32(offset + 4, true),
      view.getUint32(offset + 8, true),
      view.getUint32(offset + 12, true),
      view.getUint32(offset + 16, true),
      view.getUint32(offset + 20, true),
    )
  }
}
