/**
 * The signature algorithms that are understood, and the kind of key that each needs (RFC 7518, RFC 8037, RFC 9864).
 *
 * @module
 */

/** A kind of public key: JWK `kty`, and `crv` where the algorithm fixes it. */
export interface KeyKind {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
}

const RSA: KeyKind = { kty: 'RSA' }
const ED25519: KeyKind = { kty: 'OKP', crv: 'Ed25519' }

/** Algorithm to kind of key. Neither `none` nor HS*: a key set is public, so it can prove nothing for those. */
const KIND_BY_ALGORITHM: ReadonlyMap<string, KeyKind> = new Map([
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
])

/** Every algorithm that an issuer's allow-list may name. */
export const SIGNATURE_ALGORITHMS: readonly string[] = [...KIND_BY_ALGORITHM.keys()]

/** The kind of key that an algorithm needs; undefined for an algorithm that is not understood. */
export function keyKindOf(algorithm: string): KeyKind | undefined {
  return KIND_BY_ALGORITHM.get(algorithm)
}

/** The first algorithm that a kind of key can be used with; undefined for kinds that are not understood. */
export function defaultAlgorithmFor(kty: unknown, crv: unknown): string | undefined {
  return SIGNATURE_ALGORITHMS.find(algorithm => fitsKind(algorithm, kty, crv))
}

/** Whether a key with this `kty` and `crv` can verify this algorithm. */
export function fitsKind(algorithm: string, kty: unknown, crv: unknown): boolean {
  const kind = KIND_BY_ALGORITHM.get(algorithm)
  return kind !== undefined && kind.kty === kty && (kind.crv === undefined || kind.crv === crv)
}
