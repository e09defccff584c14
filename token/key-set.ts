/**
 * An issuer's public keys: reads a JWKS document (RFC 7517) and selects the keys that may verify a token. No I/O.
 *
 * @module
 */
import { KeyObject } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { RescindError } from '../revocation/error.ts'
import { isJsonObject, type JsonObject, ownMember } from '../revocation/json-object.ts'
import { defaultAlgorithmFor, fitsKind, verifySignature } from './algorithms.ts'

/** A public key that may verify signatures. The object is the key's identity: a reload that finds it again keeps it. */
export interface VerificationKey {
  /** What `$kid` is for tokens that this key verified: the JWK's `kid`, else its RFC 7638 thumbprint. */
  readonly kid: string
  /** The JWK's own `kid`; an empty one counts as absent. */
  readonly declaredKid: string | undefined
  /** The same text for the same thumbprint, `kid` and `alg`. */
  readonly identity: string
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly thumbprint: string
  /** Whether the key may verify signatures of this `alg`. */
  fits(algorithm: string): boolean
  /** Whether the key made a signature by an `alg` that it fits; a promise if that takes long. */
  verifies(algorithm: string, signed: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** Why a JWK of a document is not used. */
export type SkipReason = 'not_for_signatures' | 'unsupported' | 'secret' | 'weak' | 'malformed'

/** The usable keys of one JWKS document, in its order. */
export interface KeySet {
  readonly keys: ReadonlySet<VerificationKey>
  /** How many JWKs were left out, by reason. */
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
}

/** Most JWKs that a document may have. */
export const jwksKeysLimit = 256
/** Most keys that are tried for one token. */
export const candidatesLimit = 16

const rsaBitsMin = 2048
/** OpenSSL refuses to verify with more. */
const rsaBitsMax = 16_384
/** With 1 a signature is its own message: anybody could make one. */
const exponentMin = 3n
/** Each bit makes a verification longer, and a forged one too. */
const exponentMax = 2n ** 64n - 1n
/** Members that only private or symmetric keys have (RFC 7518 section 6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e']

/**
 * Reads a JWKS document. A JWK that cannot be used is skipped and counted, as RFC 7517 section 5 asks; a key that
 * `previous` holds already keeps its identity.
 *
 * @param document the parsed JSON
 * @throws RescindError ERR_REQUEST_FAILED if the document is no JWKS or has more than {@link jwksKeysLimit} keys
 */
export async function readKeySet(document: unknown, previous?: KeySet): Promise<KeySet> {
  const jwks = isJsonObject(document) ? ownMember(document, 'keys') : undefined
  if (!Array.isArray(jwks)) throw new RescindError('ERR_REQUEST_FAILED', 'not a JWKS: it has no array "keys"')
  if (jwks.length > jwksKeysLimit) {
    const message = `the JWKS has ${jwks.length} keys; at most ${jwksKeysLimit} are read`
    throw new RescindError('ERR_REQUEST_FAILED', message)
  }
  const known = new Map([...(previous?.keys ?? [])].map(key => [key.identity, key]))
  const keys = new Map<string, VerificationKey>()
  const skipped: Partial<Record<SkipReason, number>> = {}
  for (const jwk of jwks as unknown[]) {
    const key = await readKey(jwk)
    if (typeof key === 'string') skipped[key] = (skipped[key] ?? 0) + 1
    else keys.set(key.identity, known.get(key.identity) ?? key)
  }
  return { keys: new Set(keys.values()), skipped }
}

/** Whether two sets hold the same keys (by identity). */
export function holdsSameKeys(one: KeySet, other: KeySet): boolean {
  return one.keys.size === other.keys.size && [...one.keys].every(key => other.keys.has(key))
}

/**
 * The keys that may have signed a token, by its header: with a `kid` those that have exactly this one, without it all
 * that fit the algorithm; at most {@link candidatesLimit}.
 *
 * @param kid the header's; undefined if it has none
 */
export function selectKeys(
  keySet: KeySet,
  algorithm: string,
  kid: string | undefined,
): readonly VerificationKey[] {
  return [...keySet.keys]
    .filter(key => (kid === undefined || key.declaredKid === kid) && key.fits(algorithm))
    .slice(0, candidatesLimit)
}

interface KeyFacts {
  readonly kty: unknown
  readonly crv: unknown
  readonly declaredKid: string | undefined
  /** The JWK's own `alg`, which binds it to that algorithm. */
  readonly boundTo: string | undefined
}

async function readKey(jwk: unknown): Promise<VerificationKey | SkipReason> {
  if (!isJsonObject(jwk)) return 'malformed'
  const unusable = reasonToSkip(jwk)
  if (unusable) return unusable
  const facts = factsOf(jwk)
  const algorithm = facts.boundTo ?? defaultAlgorithmFor(facts.kty, facts.crv)
  if (algorithm === undefined || !fitsKind(algorithm, facts.kty, facts.crv)) return 'unsupported'
  const material = publicMaterial(jwk)
  try {
    const imported = await importPublic(material, algorithm)
    const bits = modulusBits(imported)
    const exponent = exponentOf(imported)
    if (bits < rsaBitsMin || exponent < exponentMin) return 'weak'
    if (bits > rsaBitsMax || exponent > exponentMax) return 'unsupported'
    // From the imported key, not the document: its spelling of the numbers may be unusual and may change.
    const thumbprint = await calculateJwkThumbprint(imported)
    return createKey(facts, thumbprint, KeyObject.from(imported))
  } catch {
    return 'malformed'
  }
}

function reasonToSkip(jwk: JsonObject): SkipReason | undefined {
  const use = ownMember(jwk, 'use')
  const operations = ownMember(jwk, 'key_ops')
  if (ownMember(jwk, 'kty') === 'oct' || secretMembers.some(name => Object.hasOwn(jwk, name))) return 'secret'
  if (use !== undefined && use !== 'sig') return 'not_for_signatures'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'not_for_signatures'
  }
  return [ownMember(jwk, 'kid'), ownMember(jwk, 'alg')].every(isTextOrAbsent) ? undefined : 'malformed'
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function factsOf(jwk: JsonObject): KeyFacts {
  const kid = ownMember(jwk, 'kid') as string | undefined
  const boundTo = ownMember(jwk, 'alg') as string | undefined
  const declaredKid = kid === '' ? undefined : kid
  return { kty: ownMember(jwk, 'kty'), crv: ownMember(jwk, 'crv'), declaredKid, boundTo }
}

/** Only what makes the public key: nothing else of a document may steer the import. */
function publicMaterial(jwk: JsonObject): JWK {
  const present = publicMembers.filter(name => Object.hasOwn(jwk, name))
  return Object.fromEntries(present.map(name => [name, jwk[name]])) as JWK
}

async function importPublic(material: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(material, algorithm)
  if (key instanceof Uint8Array || key.type !== 'public') throw new TypeError('not a public key')
  return key
}

/** Bits of an RSA key's modulus; for the other kinds, whose sizes their algorithm fixes, a size that passes. */
function modulusBits(key: CryptoKey): number {
  const { modulusLength } = key.algorithm as { modulusLength?: number }
  return modulusLength ?? rsaBitsMin
}

/** The public exponent of an RSA key; for the other kinds one that passes. */
function exponentOf(key: CryptoKey): bigint {
  const { publicExponent } = key.algorithm as { publicExponent?: Uint8Array }
  return publicExponent === undefined
    ? exponentMin
    : BigInt(`0x${Buffer.from(publicExponent).toString('hex')}`)
}

function createKey(facts: KeyFacts, thumbprint: string, key: KeyObject): VerificationKey {
  const { kty, crv, declaredKid, boundTo } = facts
  return {
    kid: declaredKid ?? thumbprint,
    declaredKid,
    identity: JSON.stringify([thumbprint, declaredKid ?? null, boundTo ?? null]),
    thumbprint,
    fits: algorithm => (boundTo === undefined || boundTo === algorithm) && fitsKind(algorithm, kty, crv),
    verifies: (algorithm, signed, signature) => verifySignature(algorithm, key, signed, signature),
  }
}
