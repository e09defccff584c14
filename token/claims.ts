/**
 * What a genuine token's claims must say to be accepted (RFC 7519 section 4.1): pure, the clock passed in.
 *
 * @module
 */
import { type JsonObject, ownMember } from '../revocation/json-object.ts'

/** Why claims are not acceptable; each is a reason of its own for logs and metrics. */
export type ClaimProblem =
  /** `exp` is missing or not a finite number. */
  | 'missing_exp'
  /** `iat` is missing or not a finite number. */
  | 'missing_iat'
  /** `nbf` is there and not a finite number. */
  | 'invalid_nbf'
  /** now >= exp + tolerance (+ grace). */
  | 'expired'
  /** nbf > now + tolerance. */
  | 'not_yet_valid'
  /** iat > now + tolerance (+ grace). */
  | 'issued_in_future'
  /** exp - iat is longer than cuts are kept. */
  | 'lifetime_too_long'
  /** `aud` names none of the accepted audiences. */
  | 'wrong_audience'

/** Rules for a token's times, in seconds. */
export interface TimeRules {
  /** How far this clock and the issuer's may differ. */
  readonly clockToleranceSeconds: number
  /** Longest exp - iat. Cuts are kept for this time, so a longer-lived token could outlive one. */
  readonly maxTokenLifetimeSeconds: number
  /** Accept a token that is not valid yet: a revoker does, for it will be valid one day. Default false. */
  readonly ignoreNotBefore?: boolean
  /** Accept for this much longer after exp + tolerance: a revoker passes maxClockDifference. Default 0. */
  readonly expiredGraceSeconds?: number
  /** Accept an iat this much further in the future, for the same reason. Default 0. */
  readonly futureGraceSeconds?: number
}

/** Rules for a token's claims. */
export interface ClaimRules extends TimeRules {
  /** The token's `aud` must name one of these; an empty list accepts any token, also one without `aud`. */
  readonly audiences: readonly string[]
}

/** The times of a token, in seconds since 1970. */
export interface TokenTimes {
  /** `exp` as it stands, possibly with a fraction. */
  readonly expSeconds: number
  /** `iat` rounded down: what revocations are compared with. */
  readonly iatSeconds: number
  /** `nbf` as it stands, if there is one. */
  readonly nbfSeconds: number | undefined
}

/** The longest time that a table entry can hold. */
const expiresAtSecondsMax = 2 ** 32 - 1

/** Reads the times of a payload. The result does not depend on the clock, so it may be kept with the token. */
export function readTimes(payload: JsonObject): TokenTimes | ClaimProblem {
  const exp = ownMember(payload, 'exp')
  const iat = ownMember(payload, 'iat')
  const nbf = ownMember(payload, 'nbf')
  if (!isTime(exp)) return 'missing_exp'
  if (!isTime(iat)) return 'missing_iat'
  if (nbf !== undefined && !isTime(nbf)) return 'invalid_nbf'
  return { expSeconds: exp, iatSeconds: Math.floor(iat), nbfSeconds: nbf }
}

/**
 * Judges times against the clock; cheap, to be repeated at every check of a remembered token.
 *
 * @param nowSeconds seconds since 1970, fractions allowed
 */
export function checkTimes(
  times: TokenTimes,
  rules: TimeRules,
  nowSeconds: number,
): ClaimProblem | undefined {
  const tolerance = rules.clockToleranceSeconds
  // The lifetime counts from the rounded-down iat: a cut at that second is kept for exactly the longest lifetime.
  if (times.expSeconds - times.iatSeconds > rules.maxTokenLifetimeSeconds) return 'lifetime_too_long'
  if (times.iatSeconds > nowSeconds + tolerance + (rules.futureGraceSeconds ?? 0)) return 'issued_in_future'
  if (nowSeconds >= times.expSeconds + tolerance + (rules.expiredGraceSeconds ?? 0)) return 'expired'
  if (rules.ignoreNotBefore || times.nbfSeconds === undefined) return undefined
  return times.nbfSeconds > nowSeconds + tolerance ? 'not_yet_valid' : undefined
}

/** The audiences that a payload names: `aud` as text, or the texts in its array (RFC 7519 section 4.1.3). */
export function audiencesOf(payload: JsonObject): readonly string[] {
  const aud = ownMember(payload, 'aud')
  if (typeof aud === 'string') return [aud]
  return Array.isArray(aud) ? aud.filter(element => typeof element === 'string') : []
}

/** Whether the token's audiences include an accepted one; an empty list of accepted ones accepts all. */
export function acceptsAudience(accepted: readonly string[], audiences: readonly string[]): boolean {
  return accepted.length === 0 || audiences.some(audience => accepted.includes(audience))
}

/**
 * Judges a payload as a whole.
 *
 * @param nowSeconds seconds since 1970, fractions allowed
 * @returns the first problem, or undefined if there is none
 */
export function checkClaims(
  payload: JsonObject,
  rules: ClaimRules,
  nowSeconds: number,
): ClaimProblem | undefined {
  const times = readTimes(payload)
  if (typeof times === 'string') return times
  const problem = checkTimes(times, rules, nowSeconds)
  if (problem) return problem
  return acceptsAudience(rules.audiences, audiencesOf(payload)) ? undefined : 'wrong_audience'
}

/** When a revocation of the token may be forgotten: exp rounded up, at most 2^32-1 and at least 0. */
export function expiresAtSeconds(times: TokenTimes): number {
  return Math.min(Math.max(Math.ceil(times.expSeconds), 0), expiresAtSecondsMax)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
