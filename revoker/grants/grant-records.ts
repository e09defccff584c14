/**
 * How grants and tokens lie in a store, in bytes.
 *
 * A token: expiresAt (u32, big-endian), form (u8), length of the name (u16), name (UTF-8), sealed.
 *
 * @module
 */
import type { StoredToken, TokenForm } from './grant-store.ts'

const forms: readonly TokenForm[] = ['refresh', 'jti', 'jwt', 'opaque']
const formAt = 4
const lengthAt = 5
const nameAt = 7

/** The latest time that can be stored, seconds. */
export const latestSeconds = 2 ** 32 - 1

/** A token as bytes. */
export function encodeToken({ form, name, expiresAt, sealed }: StoredToken): Buffer {
  const nameBytes = Buffer.from(name)
  const bytes = Buffer.allocUnsafe(nameAt + nameBytes.length + sealed.length)
  bytes.writeUInt32BE(Math.min(latestSeconds, Math.ceil(expiresAt)))
  bytes.writeUInt8(forms.indexOf(form), formAt)
  bytes.writeUInt16BE(nameBytes.length, lengthAt)
  nameBytes.copy(bytes, nameAt)
  sealed.copy(bytes, nameAt + nameBytes.length)
  return bytes
}

/** What {@link encodeToken} made. */
export function decodeToken(bytes: Buffer): StoredToken {
  const sealedAt = nameAt + bytes.readUInt16BE(lengthAt)
  return {
    form: forms[bytes.readUInt8(formAt)] as TokenForm,
    name: bytes.toString('utf8', nameAt, sealedAt),
    expiresAt: bytes.readUInt32BE(),
    sealed: bytes.subarray(sealedAt),
  }
}

/** A token that is reported again: the later expiry, and what is sealed if the report has something. */
export const mergedToken = (known: StoredToken, reported: StoredToken): StoredToken => ({
  ...reported,
  expiresAt: Math.max(known.expiresAt, reported.expiresAt),
  sealed: reported.sealed.length > 0 ? reported.sealed : known.sealed,
})
