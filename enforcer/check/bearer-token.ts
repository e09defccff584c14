/**
 * Finds the token in a request (RFC 6750 section 2.1).
 *
 * @module
 */
import type { CheckInput } from './check-request.ts'

/** A text, or why there is none: no credentials of ours, or credentials that cannot be read in one way only. */
export type FoundToken =
  | { readonly token: string; readonly problem?: undefined }
  | { readonly problem: 'missing_token' | 'ambiguous_token' }

const missing: FoundToken = { problem: 'missing_token' }
const ambiguous: FoundToken = { problem: 'ambiguous_token' }

const bearer = /^bearer(?: +|$)/i
const tokenText = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * What the Authorization header gives as a token; {@link isTokenText} says whether it can be one. Two headers arrive
 * joined with a comma: a comma is ambiguous.
 */
export function bearerToken({ authorization }: CheckInput): FoundToken {
  if (authorization.length > 1) return ambiguous
  const value = authorization[0]
  if (value === undefined || value === '') return missing
  if (value.includes(',')) return ambiguous
  const scheme = bearer.exec(value)
  if (scheme === null) return missing
  const token = value.slice(scheme[0].length).trimEnd()
  return token === '' ? missing : { token }
}

/** Whether a text has the form of a bearer token (b64token). Apart, because a text that is remembered has it. */
export const isTokenText = (text: string): boolean => tokenText.test(text)
