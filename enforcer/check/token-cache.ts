/**
 * Remembers verified tokens by their exact text, within bounds. Whether a token is revoked is never in it.
 *
 * @module
 */
import type { ClaimSet } from '../../revocation/claim-set.ts'
import type { VerifiedToken } from '../../token/verifier.ts'

/** A verified token and its keys for the claim sets that were in use when it was last checked. */
export interface CachedToken {
  readonly token: VerifiedToken
  /** The very list that `keys` were derived for; undefined before the first time. */
  claimSets: readonly ClaimSet[] | undefined
  /** Words of the keys, or undefined if the token has too many. */
  keys: Uint32Array | undefined
}

/** Bounds of the cache. */
export interface TokenCacheLimits {
  readonly entriesLimit: number
  /** Estimated bytes. */
  readonly bytesLimit: number
}

/** Estimated memory of an entry beside its text: parsed claims, keys, map. */
const entryOverheadBytes = 1_024

/**
 * Two generations of entries: what is used moves to the young one; when that has half of the bounds it becomes the
 * old one, and the old one is forgotten. So a hit costs one look-up and no bookkeeping.
 */
export class TokenCache {
  readonly #limits: TokenCacheLimits
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngBytes = 0

  constructor(limits: TokenCacheLimits) {
    this.#limits = limits
  }

  /** Entries in both generations. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** What is remembered of a token. */
  get(text: string): CachedToken | undefined {
    const key = keyOf(text)
    const young = this.#young.get(key)
    if (young !== undefined) return young.text === text ? young.cached : undefined
    const old = this.#old.get(key)
    if (old?.text !== text) return undefined
    this.set(text, old.cached)
    return old.cached
  }

  /** Remembers a token, unless it alone is larger than a generation may be. */
  set(text: string, cached: CachedToken): void {
    const key = keyOf(text)
    this.#forget(key)
    const bytes = estimateBytes(text)
    if (bytes > this.#limits.bytesLimit / 2 || this.#limits.entriesLimit < 2) return
    if (
      this.#young.size >= Math.floor(this.#limits.entriesLimit / 2) ||
      this.#youngBytes + bytes > this.#limits.bytesLimit / 2
    ) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#young.set(key, { text, cached })
    this.#youngBytes += bytes
  }

  /** Forgets a token. */
  delete(text: string): void {
    if (this.get(text) !== undefined) this.#forget(keyOf(text))
  }

  #forget(key: string): void {
    const young = this.#young.get(key)
    if (young !== undefined) this.#youngBytes -= estimateBytes(young.text)
    this.#young.delete(key)
    this.#old.delete(key)
  }
}

interface Entry {
  readonly text: string
  readonly cached: CachedToken
}

/** Characters of a signature's end that tell tokens apart: 192 bits in base64url. */
const keyChars = 32

/**
 * Hashing a whole token takes longer than all the rest of a look-up, so only its end is hashed and the text compared. Of
 * genuine tokens with the same end only the last one is remembered.
 */
const keyOf = (text: string): string => text.slice(-keyChars)

/** The text itself, and its claims parsed. */
const estimateBytes = (text: string): number => text.length * 3 + entryOverheadBytes
