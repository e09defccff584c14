/**
 * The bytes of the keys that one write of a checkpoint holds. Groups are only ever added: what a later one says of a key
 * counts, and a group goes when nothing in it is needed any more.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import type { LiveKeyImage } from '../revocation/live-key.ts'
import type { KeptKey, PackedKey } from '../revocation/live-rows.ts'
import { rowBytes } from '../revocation/rows.ts'

/** A group as it is stored, and when nothing in it is needed any more, seconds. */
export interface Group {
  readonly bytes: Buffer
  readonly lastNeededAt: number
}

/** Checksum and number of rows; then the rows, and the images of those that have more than fits into a row, as JSON. */
const headerBytes = 8

/** Packs keys; those that changed first come first. */
export function packGroup(keys: readonly KeptKey[]): Group {
  const inOrder = [...keys].sort((one, other) => one.row.changedAt - other.row.changedAt)
  const images = inOrder.flatMap(({ more }) => more ?? [])
  const bytes = Buffer.concat([
    Buffer.alloc(headerBytes + inOrder.length * rowBytes),
    Buffer.from(images.length === 0 ? '' : JSON.stringify(images)),
  ])
  bytes.writeUInt32BE(inOrder.length, 4)
  for (const [index, { row }] of inOrder.entries()) row.writeTo(bytes, headerBytes + index * rowBytes)
  bytes.writeUInt32BE(checksumOf(bytes))
  const lastNeededAt = inOrder.reduce((latest, { row }) => Math.max(latest, row.neededUntil), 0)
  return { bytes, lastNeededAt }
}

/**
 * The keys of a group, in order. One object tells of each in turn.
 *
 * @throws RescindError ERR_CHECKPOINT_INVALID if it was damaged.
 */
export function* unpackGroup(bytes: Buffer): Generator<PackedKey> {
  if (bytes.length < headerBytes || bytes.readUInt32BE() !== checksumOf(bytes)) {
    throw new RescindError('ERR_CHECKPOINT_INVALID', 'a group of keys does not have its checksum')
  }
  const end = headerBytes + bytes.readUInt32BE(4) * rowBytes
  const images = bytes.length > end ? (JSON.parse(bytes.toString('utf8', end)) as LiveKeyImage[]) : []
  let next = 0
  const key = { bytes, offset: 0, more: () => images[next++] as LiveKeyImage }
  for (key.offset = headerBytes; key.offset < end; key.offset += rowBytes) yield key
}

/** What a group adds to the sum over all of them, by which it is seen that none is missing. */
export const groupSum = (bytes: Buffer): number => bytes.readUInt32BE()

/** FNV-1a over words of 32 bits: against accidents of storage, not against people. */
function checksumOf(bytes: Buffer): number {
  let hash = 0x811c9dc5
  let at = 4
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(hash ^ bytes.readUInt32LE(at), 0x01000193)
  for (; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash >>> 0
}
