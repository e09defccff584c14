/**
 * Claim names and values: which a revocation may name, and how they are read from a token.
 *
 * @module
 */
import { RescindError } from './error.ts'

/** Claims of a token as parsed JSON. Only own properties count. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** A value that a revocation can match. Numbers are safe integers. */
export type ClaimValue = string | number | boolean

/**
 * Names that begin with `$` are ours: computed from a token, never read from its claims.
 *
 * - `$client`: `client_id`, else `azp`, else `aud` if it is a string or an array of one
 * - `$kid`: the kid (or RFC 7638 thumbprint) of the key that verified the signature
 * - `$token`: SHA-256 over the decoded header and payload, or over an opaque token
 * - `$signature`: the decoded signature octets
 */
export const ownNames = ['$client', '$kid', '$token', '$signature'] as const

/** One of {@link ownNames}. */
export type OwnName = (typeof ownNames)[number]

/** The own names whose value does not come from claims but from how the token was verified. */
export type TokenFacts = Readonly<Partial<Record<Exclude<OwnName, '$client'>, string>>>

/** Most characters in a claim name. */
export const claimNameLimit = 128

/** Most characters in a claim value. */
export const claimValueLimit = 1024

/**
 * The text that stands for a value in a key: a string itself, an integer in decimal, `true` or `false`.
 * So 5 and "5" are the same.
 *
 * @returns undefined for anything else: fractions, unsafe integers, null, objects, lone surrogates.
 */
export function valueText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value === 'boolean') return String(value)
  return undefined
}

/**
 * Checks that a revocation may match on this name and value.
 *
 * @returns the value's text, see {@link valueText}.
 * @throws RescindError ERR_REVOCATION_INVALID that names the claim and what is allowed.
 */
export function checkedValueText(name: string, value: unknown): string {
  checkName(name)
  const text = valueText(value)
  if (text === undefined) {
    throw invalid(`match.${name}: must be a string, a safe integer or a boolean, without lone surrogates`)
  }
  if (text.length > claimValueLimit) {
    throw invalid(`match.${name}: longer than ${claimValueLimit} characters`)
  }
  return text
}

/**
 * Checks a claim name.
 *
 * @throws RescindError ERR_REVOCATION_INVALID if it is empty, too long, or an unknown name with `$`.
 */
export function checkName(name: string): void {
  if (name === '' || name.length > claimNameLimit || !name.isWellFormed()) {
    throw invalid(`match: a claim name must have 1 to ${claimNameLimit} characters`)
  }
  if (name.startsWith('$') && !ownNames.includes(name as OwnName)) {
    throw invalid(`match.${name}: unknown; names with $ are ${ownNames.join(', ')}`)
  }
}

/**
 * The texts under which a token's claim can be matched: none if it is absent or of another type, several if it
 * is an array. Elements that cannot be matched are left out.
 */
export function claimTexts(name: string, claims: TokenClaims, facts: TokenFacts): readonly string[] {
  if (name === '$client') return texts(clientOf(claims))
  if (name.startsWith('$')) return texts(facts[name as keyof TokenFacts])
  return texts(own(claims, name))
}

/** The client that a token was issued to: see `$client` in {@link ownNames}. */
export const clientOf = (claims: TokenClaims): string | undefined =>
  valueText(own(claims, 'client_id')) ?? valueText(own(claims, 'azp')) ?? onlyAudience(own(claims, 'aud'))

function onlyAudience(audience: unknown): string | undefined {
  const single = Array.isArray(audience) && audience.length === 1 ? audience[0] : audience
  return typeof single === 'string' ? valueText(single) : undefined
}

const own = (claims: TokenClaims, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined

function texts(value: unknown): readonly string[] {
  const values = Array.isArray(value) ? value : [value]
  return values.map(valueText).filter(text => text !== undefined)
}

const invalid = (message: string) => new RescindError('ERR_REVOCATION_INVALID', message)
