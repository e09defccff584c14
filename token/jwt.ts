/**
 * Reads a JWT in JWS compact serialization (RFC 7519, RFC 7515 section 7.1) without verifying it: pure, strict, bounded.
 *
 * @module
 */
import { type JsonObject, ownMember, parseJsonObject } from '../revocation/json-object.ts'

/** Limits of {@link parseJwt}. */
export interface JwtLimits {
  /** Longest token in octets (a JWT is ASCII). */
  readonly tokenLimitBytes: number
  /** How deep header and payload may nest; the object itself counts as 1. */
  readonly depthLimit: number
}

/** The limits that hold unless others are given. */
export const defaultJwtLimits: JwtLimits = { tokenLimitBytes: 16 * 1024, depthLimit: 16 }

/** What a JWT says. Nothing of it is proven: see verifier.ts. */
export interface ParsedJwt {
  /** The header's `alg`; any text, `none` included. */
  readonly alg: string
  /** The header's `kid`; an empty one counts as absent. */
  readonly kid: string | undefined
  /** The header's `typ` as it is written. */
  readonly typ: string | undefined
  /** The JOSE header; read with `ownMember`. */
  readonly header: JsonObject
  /** The claims; read with `ownMember`. */
  readonly payload: JsonObject
  /** The decoded header. */
  readonly headerOctets: Uint8Array
  /** The decoded payload. */
  readonly payloadOctets: Uint8Array
  /** What the signature covers: the first two segments and the dot between them. */
  readonly signingInput: string
  /** The decoded signature; empty for `alg` none. */
  readonly signatureOctets: Uint8Array
}

// No padding, no white space, neither + nor / (RFC 7515 section 2). \w is exactly the rest of the alphabet.
const compactJws = /^[\w-]+\.[\w-]+\.[\w-]*$/

/**
 * Parses a JWT. Refused are: tokens over the limit, other than three segments, anything outside the base64url alphabet,
 * a header or payload that is not one unambiguous JSON object, a header without textual `alg`, or with `crit` (no
 * extension is understood here, RFC 7515 section 4.1.11). Pad bits that are not zero are tolerated: they do not change
 * the octets. Never throws.
 *
 * @returns what the token says, or undefined if it is not a JWT that can be judged
 * @example parseJwt('eyJhbGciOiJSUzI1NiJ9.e30.c2ln')?.alg // 'RS256'
 */
export function parseJwt(token: string, limits: JwtLimits = defaultJwtLimits): ParsedJwt | undefined {
  if (token.length > limits.tokenLimitBytes || !compactJws.test(token)) return undefined
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.indexOf('.', headerEnd + 1)
  const headerOctets = decodeSegment(token.slice(0, headerEnd))
  const payloadOctets = decodeSegment(token.slice(headerEnd + 1, payloadEnd))
  const signatureOctets = decodeSegment(token.slice(payloadEnd + 1))
  if (!headerOctets || !payloadOctets || !signatureOctets) return undefined

  const header = parseJsonObject(headerOctets, limits.depthLimit)
  const payload = parseJsonObject(payloadOctets, limits.depthLimit)
  if (!header || !payload) return undefined
  const parameters = readHeader(header)
  if (!parameters) return undefined
  const signingInput = token.slice(0, payloadEnd)
  return { ...parameters, header, payload, headerOctets, payloadOctets, signingInput, signatureOctets }
}

function decodeSegment(segment: string): Uint8Array | undefined {
  return segment.length % 4 === 1 ? undefined : Buffer.from(segment, 'base64url')
}

function readHeader(header: JsonObject): Pick<ParsedJwt, 'alg' | 'kid' | 'typ'> | undefined {
  const alg = ownMember(header, 'alg')
  const kid = ownMember(header, 'kid')
  const typ = ownMember(header, 'typ')
  if (Object.hasOwn(header, 'crit') || typeof alg !== 'string') return undefined
  if (!isTextOrAbsent(kid) || !isTextOrAbsent(typ)) return undefined
  return { alg, kid: kid === '' ? undefined : kid, typ }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
