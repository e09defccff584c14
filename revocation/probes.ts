/**
 * What of a live state rejects a token: the keys that an enforcer looks up, and the revocations that are held under them.
 * Pure.
 *
 * @module
 */
import type { ClaimSet } from './claim-set.ts'
import { type TokenClaims, type TokenFacts, valueText } from './claims.ts'
import { deriveKey, keyText, type Match } from './key.ts'
import type { Times } from './live-key.ts'
import type { LiveState } from './live-state.ts'
import { nameAt } from './revocation-name.ts'
import { type TokenKey, type TokenKeysProblem, tokenKeysBySet } from './token-keys.ts'

/** A token as revocations see it. */
export interface ProbedToken {
  readonly claims: TokenClaims
  readonly facts: TokenFacts
  /** Rounded down; undefined: no cut can be compared with it, so every one of them counts. */
  readonly iatSeconds: number | undefined
}

/** A live revocation. */
export interface HeldRevocation {
  /** See `revocationName`; absent for those beyond 64 of one key, which were merged. */
  readonly name?: string
  readonly set: ClaimSet
  readonly times: Times
  /** Where the log holds it: the version from which on it is enforced. Undefined if only a former log held it. */
  readonly position: number | undefined
}

/** The revocations that reject a token, or why its keys cannot be derived. */
export function rejecting(
  state: LiveState,
  { claims, facts, iatSeconds }: ProbedToken,
  liveAfter: number,
): readonly HeldRevocation[] | TokenKeysProblem {
  const keys = tokenKeysBySet(state.claimSets.sets, claims, facts)
  if (typeof keys === 'string') return keys
  return held(state, keys, liveAfter).filter(
    ({ times }) => iatSeconds === undefined || iatSeconds <= times.issuedBefore,
  )
}

/**
 * The revocations that are made of some of a match's claims, also of the other kind: each of them rejects tokens that a
 * revocation with this match rejects. Those of further claims (such as a token's user) cannot be known from the match.
 */
export function heldForMatch(state: LiveState, match: Match, liveAfter: number): readonly HeldRevocation[] {
  const keys = state.claimSets.sets
    .filter(({ names }) => names.every(name => Object.hasOwn(match, name)))
    .map(set => ({
      set,
      key: deriveKey(
        set,
        set.names.map(name => valueText(match[name]) as string),
      ),
    }))
  return held(state, keys, liveAfter)
}

/** The revocations that are live under keys. */
export function held(
  state: LiveState,
  keys: readonly TokenKey[],
  liveAfter: number,
): readonly HeldRevocation[] {
  const logBegins = state.sequence - state.position
  const positionOf = (sequence: number) => (sequence < logBegins ? undefined : sequence - logBegins)
  return keys.flatMap(({ set, key }) => {
    const { singles, merged, mergedLeftover } = state.live(keyText(key))?.image ?? nothing
    const all = [
      ...singles.map(({ id, times, sequence }) => ({
        name: nameAt({ id, key: key.toString('hex') }),
        set,
        times,
        position: positionOf(sequence),
      })),
      ...(merged === undefined ? [] : [{ set, times: merged.times, position: positionOf(merged.sequence) }]),
      ...(mergedLeftover === undefined ? [] : [{ set, times: mergedLeftover, position: undefined }]),
    ]
    return all.filter(({ times }) => times.expiresAt > liveAfter)
  })
}

const nothing = { singles: [], merged: undefined, mergedLeftover: undefined }
