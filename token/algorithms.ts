/**
 * The signature algorithms that are understood, the kind of key that each needs, and how each is verified (RFC 7518, RFC
 * 8037, RFC 9864).
 *
 * @module
 */
import { constants, type KeyObject, type SigningOptions, verify } from 'node:crypto'
import { promisify } from 'node:util'

/** A kind of public key: JWK `kty`, and `crv` where the algorithm fixes it. */
export interface KeyKind {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
}

/** An algorithm: its kind of key, and what `node:crypto` needs beside the key. */
interface Algorithm extends KeyKind {
  /** Null: the algorithm has its own. */
  readonly hash: string | null
  readonly settings?: SigningOptions
  /** A verification takes several times what it costs to pass it on to another thread. */
  readonly isSlow?: boolean
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants
const pkcs1 = (hash: string): Algorithm => ({ kty: 'RSA', hash, settings: { padding: RSA_PKCS1_PADDING } })
/** The salt is as long as the hash (RFC 7518 section 3.5). */
const pss = (hash: string): Algorithm => ({
  kty: 'RSA',
  hash,
  settings: { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST },
})
/** Both numbers one after the other, not in DER (RFC 7518 section 3.4). */
const ecdsa = (crv: string, hash: string): Algorithm => ({
  kty: 'EC',
  crv,
  hash,
  settings: { dsaEncoding: 'ieee-p1363' },
  // OpenSSL has code of its own for P-256 only.
  isSlow: crv !== 'P-256',
})
const ed25519: Algorithm = { kty: 'OKP', crv: 'Ed25519', hash: null }

/** Neither `none` nor HS*: a key set is public, so it can prove nothing for those. */
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', pkcs1('sha256')],
  ['RS384', pkcs1('sha384')],
  ['RS512', pkcs1('sha512')],
  ['PS256', pss('sha256')],
  ['PS384', pss('sha384')],
  ['PS512', pss('sha512')],
  ['ES256', ecdsa('P-256', 'sha256')],
  ['ES384', ecdsa('P-384', 'sha384')],
  ['ES512', ecdsa('P-521', 'sha512')],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
])

/** Every algorithm that an issuer's allow-list may name. */
export const signatureAlgorithms: readonly string[] = [...algorithms.keys()]

/** The first algorithm that a kind of key can be used with; undefined for kinds that are not understood. */
export function defaultAlgorithmFor(kty: unknown, crv: unknown): string | undefined {
  return signatureAlgorithms.find(algorithm => fitsKind(algorithm, kty, crv))
}

/** Whether a key with this `kty` and `crv` can verify this algorithm. */
export function fitsKind(algorithm: string, kty: unknown, crv: unknown): boolean {
  const kind = algorithms.get(algorithm)
  return kind !== undefined && kind.kty === kty && (kind.crv === undefined || kind.crv === crv)
}

/** A larger RSA key makes its verification slow too. */
const quickRsaBits = 4_096
const verifyInThread = promisify(verify)

/**
 * Whether a key made a signature: at once, for on one core a thread of its own costs more than most verifications do; by
 * another thread what would keep the event loop for long.
 *
 * @param key of the kind that the algorithm needs, see {@link fitsKind}.
 */
export function verifySignature(
  algorithm: string,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  const known = algorithms.get(algorithm)
  if (known === undefined) return false
  const { modulusLength: bits } = key.asymmetricKeyDetails ?? {}
  // RFC 8017 section 8.1.2; OpenSSL also takes a PSS signature without its leading zeros.
  if (bits !== undefined && signature.length !== Math.ceil(bits / 8)) return false
  const { hash, settings, isSlow = (bits ?? 0) > quickRsaBits } = known
  const keyed = { key, ...settings }
  return isSlow ? verifyInThread(hash, signed, keyed, signature) : verify(hash, signed, keyed, signature)
}
