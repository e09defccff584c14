/**
 * Whether a token is revoked: its keys, derived once for the claim sets in use, are looked up in the table each time.
 *
 * @module
 */
import { keyWords } from '../../revocation/key.ts'
import { type TokenKeysProblem, tokenKeys } from '../../revocation/token-keys.ts'
import { factsOf } from '../../token/facts.ts'
import type { VerifiedToken } from '../../token/verifier.ts'
import type { Snapshot } from '../discovery/snapshot.ts'
import type { CachedToken } from './token-cache.ts'

/** What of a verified token revocations are compared with. */
export type RevocableToken = Pick<
  VerifiedToken,
  'payload' | 'kid' | 'iatSeconds' | 'fingerprint' | 'signature'
>

/** A token whose keys are remembered. */
export type TokenWithKeys = Pick<CachedToken, 'claimSets' | 'keys'> & { readonly token: RevocableToken }

/** Decides by what is in the snapshot now; a token with too many keys cannot be decided. */
export function isRevoked(
  cached: TokenWithKeys,
  snapshot: Snapshot,
  nowSeconds: number,
): boolean | TokenKeysProblem {
  if (cached.claimSets !== snapshot.claimSets) deriveKeys(cached, snapshot)
  if (cached.keys === undefined) return 'too_many_keys'
  return isHeld(cached.keys, cached.token, snapshot, nowSeconds - snapshot.toleranceSeconds)
}

/** Derives the token's keys for the claim sets that are in use now. */
function deriveKeys(cached: TokenWithKeys, snapshot: Snapshot): void {
  const { token } = cached
  const keys = tokenKeys(snapshot.claimSets, token.payload, factsOf(token))
  cached.keys = typeof keys === 'string' ? undefined : keys
  cached.claimSets = snapshot.claimSets
}

function isHeld(
  keys: Uint32Array,
  { iatSeconds }: RevocableToken,
  { table }: Snapshot,
  liveAfter: number,
): boolean {
  for (let at = 0; at < keys.length; at += keyWords) {
    const k0 = keys[at] as number
    const k1 = keys[at + 1] as number
    const k2 = keys[at + 2] as number
    const k3 = keys[at + 3] as number
    if (table.rejects(k0, k1, k2, k3, iatSeconds, liveAfter)) return true
  }
  return false
}
