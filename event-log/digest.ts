/**
 * The chained digest of logs that compute it at append (the embedded one).
 *
 * @module
 */
import { createHash } from 'node:crypto'

/** Bytes of a digest. */
export const digestBytes = 8

/** The first 64 bits of SHA-1 over the previous digest (8 bytes, big-endian) and the event. */
export const chainedDigest = (previous: bigint, event: Uint8Array): bigint =>
  createHash('sha1').update(digestToBytes(previous)).update(event).digest().readBigUInt64BE(0)

/** A digest as 8 bytes, big-endian. */
export function digestToBytes(digest: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(digestBytes)
  bytes.writeBigUInt64BE(digest)
  return bytes
}
