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

const rsaKey: KeyKind = { kty: 'RSA' }
const ed25519: KeyKind = { kty: 'OKP', crv: 'Ed25519' }

/** Algorithm to kind of key. Neither `none` nor HS*: a key set is public, so it can prove nothing for those. */
const kindByAlgorithm: ReadonlyMap<string, KeyKind> = new Map([
  ['RS256', rsaKey],
  ['RS384', rsaKey],
  ['RS512', rsaKey],
  ['PS256', rsaKey],
  ['PS384', rsaKey],
  ['PS512', rsaKey],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
])

/** Every algorithm that an issuer's allow-list may name. */
export const signatureAlgorithms: readonly string[] = [...kindByAlgorithm.keys()]

/** The first algorithm that a kind of key can be used with; undefined for kinds that are not understood. */
export function defaultAlgorithmFor(kty: unknown, crv: unknown): string | undefined {
  return signatureAlgorithms.find(algorithm => fitsKind(algorithm, kty, crv))
}

/** Whether a key with this `kty` and `crv` can verify this algorithm. */
export function fitsKind(algorithm: string, kty: unknown, crv: unknown): boolean {
  const kind = kindByAlgorithm.get(algorithm)
  return kind !== undefined && kind.kty === kty && (kind.crv === undefined || kind.crv === crv)
}
