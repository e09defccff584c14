/**
 * The keys of a token: one for each claim set in use and each value that its claims can be matched by.
 *
 * @module
 */

import type { ClaimSet } from './claim-set.ts'
import { claimTexts, type TokenClaims, type TokenFacts } from './claims.ts'
import { deriveKey, keyWords } from './key.ts'

/** Most keys of one token; one that has more cannot be decided and is denied. */
export const tokenKeysLimit = 256

/** Why a token's keys could not be derived. */
export type TokenKeysProblem = 'too_many_keys'

/** A key of a token, and the claim set that it is derived for. */
export interface TokenKey {
  readonly set: ClaimSet
  readonly key: Buffer
}

/**
 * Derives the keys of a token. A claim that the token lacks means that the set cannot match it.
 *
 * @returns the keys as little-endian words, 4 each, or a problem: more than 256 keys, or two array claims in one set.
 */
export function tokenKeys(
  sets: readonly ClaimSet[],
  claims: TokenClaims,
  facts: TokenFacts,
): Uint32Array | TokenKeysProblem {
  const keys = tokenKeysBySet(sets, claims, facts)
  return typeof keys === 'string' ? keys : words(keys)
}

/** The same, each with its claim set. */
export function tokenKeysBySet(
  sets: readonly ClaimSet[],
  claims: TokenClaims,
  facts: TokenFacts,
): readonly TokenKey[] | TokenKeysProblem {
  const keys: TokenKey[] = []
  for (const set of sets) {
    const texts = set.names.map(name => claimTexts(name, claims, facts))
    if (texts.some(values => values.length === 0)) continue
    const arrays = texts.filter(values => values.length > 1)
    const count = arrays[0]?.length ?? 1
    if (arrays.length > 1 || keys.length + count > tokenKeysLimit) return 'too_many_keys'
    for (let index = 0; index < count; index++) {
      const chosen = texts.map(values => values[values.length > 1 ? index : 0] as string)
      keys.push({ set, key: deriveKey(set, chosen) })
    }
  }
  return keys
}

function words(keys: readonly TokenKey[]): Uint32Array {
  const result = new Uint32Array(keys.length * keyWords)
  keys.forEach(({ key }, index) => {
    for (let word = 0; word < keyWords; word++) {
      result[index * keyWords + word] = key.readUInt32LE(word * 4)
    }
  })
  return result
}
