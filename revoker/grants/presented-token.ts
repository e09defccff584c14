/**
 * A token as somebody presents or reports it, and the fingerprint by which the registry knows it.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { defaultJwtLimits, type ParsedJwt, parseJwt } from '../../token/jwt.ts'
import { idBytes } from './grant-store.ts'

/** What a token is, as `token_type_hint` names it (RFC 7009 section 2.1). */
export type TokenKind = 'access_token' | 'refresh_token'

/** Longest token, characters. */
export const tokenLimit = defaultJwtLimits.tokenLimitBytes

/** A token, read. */
export interface PresentedToken {
  /**
   * What it is made of, whatever its base64url text looks like: of a JWT header, payload and signature, so that nobody is
   * taken for its holder who only knows what it says; of another token its UTF-8 octets.
   */
  readonly octets: Buffer
  /** Absent if it is opaque. */
  readonly jwt: ParsedJwt | undefined
}

/** Reads a token. What looks like a JWT and is none is opaque. */
export function presentedToken(text: string): PresentedToken {
  const jwt = parseJwt(text)
  if (jwt === undefined) return { octets: Buffer.from(text, 'utf8'), jwt }
  return { octets: joined([jwt.headerOctets, jwt.payloadOctets, jwt.signatureOctets]), jwt }
}

/** The id of a token: another one for each kind, so that there are two key spaces. */
export const fingerprintOf = (kind: TokenKind, { octets, jwt }: PresentedToken): Buffer =>
  idOf([`rescind ${kind} 1`, jwt === undefined ? 'opaque' : 'jwt', octets])

/** The id of a grant that an issuer has named. */
export const namedGrantId = (issuer: string, name: string): Buffer => idOf(['rescind grant 1', issuer, name])

/** The id of a grant without a name: that of the token with which it was first reported. */
export const unnamedGrantId = (fingerprint: Buffer): Buffer => idOf(['rescind unnamed grant 1', fingerprint])

function idOf(parts: readonly (string | Uint8Array)[]): Buffer {
  return createHash('sha256').update(joined(parts)).digest().subarray(0, idBytes)
}

/** Each part after its length (u32, big-endian). */
function joined(parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap(part => {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}
