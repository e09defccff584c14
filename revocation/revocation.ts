/**
 * The model: what an entry of the log can say.
 *
 * @module
 */
import { RescindError } from './error.ts'
import { type Match, matchKey } from './key.ts'

/** What people and logs want to know of a revocation; never needed to decide. */
export interface RevocationTexts {
  /** What kind of token it was, for the log line: `JWT`, `APIKey`, ... */
  readonly tokenType?: string
  readonly reason?: string
  /** Who asked for it: `client:demo`, `admin:alice`, ... */
  readonly actor?: string
}

/** Rejects the tokens whose claims equal `match`. Times in seconds since 1970. */
export interface Revocation extends RevocationTexts {
  readonly kind: 'revocation'
  /** 128 bits as hex: random, or derived by sources that repeat themselves. */
  readonly id: string
  readonly match: Match
  /** A *cut*: only tokens with iat at or before this. Absent: a *block*, whatever the iat. */
  readonly issuedBefore?: number
  /** When a block may be forgotten. A cut has none: it lasts issuedBefore + the longest token lifetime. */
  readonly expiresAt?: number
  readonly revokedAt: number
}

/** Takes a revocation back. It is kept until the target expires, so the order of the two does not matter. */
export interface Restoration extends RevocationTexts {
  readonly kind: 'restoration'
  readonly id: string
  /** Id of the revocation. */
  readonly target: string
  /** Key of the revocation, 32 hex digits. */
  readonly key: string
  /** When the revocation expires, seconds. */
  readonly expiresAt: number
  readonly restoredAt: number
}

/** Admits a claim set, as block or as cut, beside the built-in ones. */
export interface ClaimSetDeclaration {
  readonly kind: 'claim-set'
  readonly names: readonly string[]
  readonly cut: boolean
}

/** Declares the longest lifetime of a token (exp - iat, seconds) that enforcers accept. It may only grow. */
export interface LifetimeDeclaration {
  readonly kind: 'token-lifetime'
  readonly seconds: number
  /** When it was declared, seconds. A raise holds for tokens that are issued after that. */
  readonly declaredAt: number
}

/** Says which log this is, in logs that cannot keep it elsewhere (Kafka). It changes nothing that is decided. */
export interface Beat {
  readonly kind: 'beat'
  /** 128 bits as hex. */
  readonly epoch: string
  /** It proposes the epoch; otherwise it repeats the one that was adopted. */
  readonly founding: boolean
  /** When, seconds. */
  readonly at: number
}

/** What the log holds. */
export type LogEvent = Revocation | Restoration | ClaimSetDeclaration | LifetimeDeclaration | Beat

/** Why an entry of the log has no effect. */
export type DeadLetterReason = 'claim_set_undeclared' | 'claim_sets_limit' | 'lifetime_raises_limit'

/**
 * Checks a revocation from outside.
 *
 * @param nowSeconds a cut may lie at most 60 s after this.
 * @throws RescindError ERR_REVOCATION_INVALID that names the field and what is allowed.
 */
export function checkRevocation(revocation: Revocation, nowSeconds: number): void {
  const { issuedBefore, expiresAt } = revocation
  matchKey(revocation.match, issuedBefore !== undefined)
  if (issuedBefore !== undefined && expiresAt !== undefined) {
    throw invalid('give issuedBefore (it then lasts as long as a token can) or expiresAt, not both')
  }
  if (issuedBefore === undefined && expiresAt === undefined) {
    throw invalid('give expiresAt, or issuedBefore to reject only tokens issued before a time')
  }
  if (issuedBefore !== undefined && !isTime(issuedBefore))
    throw invalid('issuedBefore: must be seconds since 1970')
  if (expiresAt !== undefined && !isTime(expiresAt)) throw invalid('expiresAt: must be seconds since 1970')
  if (issuedBefore !== undefined && issuedBefore > nowSeconds + issuedBeforeAheadLimit) {
    throw invalid(`issuedBefore: more than ${issuedBeforeAheadLimit} s in the future`)
  }
}

/** How far in the future issuedBefore may lie, seconds. */
export const issuedBeforeAheadLimit = 60

const isTime = (value: number): boolean => Number.isFinite(value) && value >= 0

const invalid = (message: string) => new RescindError('ERR_REVOCATION_INVALID', message)
