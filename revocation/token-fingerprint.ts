/**
 * The name `$token` of a token: a hash of what it says, whatever its encoding or signature.
 *
 * @module
 */
import { createHash } from 'node:crypto'

/**
 * `$token` of a JWT: SHA-256 over header and payload octets, each preceded by its length (u32, big-endian). Decoded
 * octets, because base64url text and signatures are malleable.
 *
 * @returns 43 characters of base64url
 */
export function jwtFingerprint(headerOctets: Uint8Array, payloadOctets: Uint8Array): string {
  return fingerprint([headerOctets, payloadOctets])
}

/**
 * `$token` of an opaque token: SHA-256 over its UTF-8 octets, preceded by their length (u32, big-endian).
 *
 * @returns 43 characters of base64url
 */
export function opaqueFingerprint(token: string): string {
  return fingerprint([Buffer.from(token, 'utf8')])
}

function fingerprint(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const lengthBytes = Buffer.alloc(4)
    lengthBytes.writeUInt32BE(part.length)
    hash.update(lengthBytes).update(part)
  }
  return hash.digest('base64url')
}
