/**
 * Finds the key that signed a token, among those that its issuer publishes (RFC 7515 section 5.2).
 *
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JwksSource, RefetchOutcome } from './jwks-source.ts'
import type { ParsedJwt } from './jwt.ts'
import { type KeySet, selectKeys, type VerificationKey } from './key-set.ts'
import type { Timing } from './timing.ts'

/**
 * The key that verified the signature, or why there is none: the issuer has no key for it, none of its keys made it, or
 * its keys are not known well enough to say so.
 */
export type SigningKey = VerificationKey | 'unknown_key' | 'bad_signature' | 'keys_unavailable'

/** Where keys come from. */
export type KeySource = Pick<JwksSource, 'generation' | 'keySet' | 'retiredKeySet' | 'refetch'>

/** How long to wait for keys. */
export interface KeyWait {
  readonly timing: Timing
  /** Milliseconds from now; undefined waits as long as the fetch takes. */
  readonly deadlineMs: number | undefined
  /** A key counts as unknown only after a fetch, not because the next fetch is not due yet. */
  readonly freshKeysOnly: boolean
}

/**
 * Tries the keys at hand and, where newer ones could change the verdict, has them fetched once and tries again.
 *
 * @param jwt its `alg` was found in the issuer's allow-list
 */
export async function findSigningKey(jwt: ParsedJwt, source: KeySource, wait: KeyWait): Promise<SigningKey> {
  const generation = source.generation()
  const first = await tryAllKeys(jwt, source)
  if (!newKeysMayHelp(first, jwt)) return first
  const outcome = await refetchWithin(source, wait)
  const latest = source.generation() === generation ? first : await tryAllKeys(jwt, source)
  const keysAreKnown = outcome === 'loaded' || (outcome === 'limited' && !wait.freshKeysOnly)
  const isOpen = latest === 'unknown_key' || (wait.freshKeysOnly && newKeysMayHelp(latest, jwt))
  return isOpen && !keysAreKnown ? 'keys_unavailable' : latest
}

function newKeysMayHelp(verdict: SigningKey, jwt: ParsedJwt): boolean {
  // Without a kid nothing but the signature tells a new key from a forgery.
  if (verdict === 'bad_signature') return jwt.kid === undefined
  return typeof verdict === 'string'
}

/** The issuer's keys, then those that it no longer publishes, where they are kept. */
async function tryAllKeys(jwt: ParsedJwt, source: KeySource): Promise<SigningKey> {
  const verdict = await tryKeys(jwt, source.keySet())
  if (typeof verdict !== 'string') return verdict
  const retired = await tryKeys(jwt, source.retiredKeySet())
  return typeof retired === 'string' ? verdict : retired
}

async function tryKeys(
  { alg, kid, signingInput, signatureOctets }: ParsedJwt,
  keySet: KeySet | undefined,
): Promise<SigningKey> {
  if (!keySet) return 'keys_unavailable'
  const candidates = selectKeys(keySet, alg, kid)
  const signed = Buffer.from(signingInput, 'latin1')
  for (const key of candidates) {
    if (await key.verifies(alg, signed, signatureOctets)) return key
    // A forged token may cost one verification for each key: others have their turn in between.
    await nextTurn()
  }
  return candidates.length === 0 ? 'unknown_key' : 'bad_signature'
}

async function refetchWithin(source: KeySource, wait: KeyWait): Promise<RefetchOutcome | 'late'> {
  const { timing, deadlineMs } = wait
  if (deadlineMs === undefined) return source.refetch()
  let cancel = () => {}
  const late = new Promise<'late'>(resolve => {
    cancel = timing.after(Math.max(0, deadlineMs), () => resolve('late'))
  })
  const outcome = await Promise.race([source.refetch(), late])
  cancel()
  return outcome
}
