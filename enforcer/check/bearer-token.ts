/**
 * Finds the token in a request (RFC 6750 section 2.1).
 *
 * @module
 */
import type { CheckInput } from './check-request.ts'

/** A token, or why there is none: no credentials of ours, or credentials that cannot be read in one way only. */
export type FoundToken =
  | { readonly token: string; readonly problem?: undefined }
  | { readonly problem: 'missing_token' | 'ambiguous_token' | 'malformed' }

const missing: FoundToken = { problem: 'missing_token' }
const ambiguous: FoundToken = { problem: 'ambiguous_token' }
const malformed: FoundToken = { problem: 'malformed' }

const bearer = /^bearer(?: +|$)/i
const tokenText = /^[A-Za-z0-9\-._~+/]+=*$/

/** The token of the Authorization header. Two headers arrive joined with a comma: a comma is ambiguous. */
export const bearerToken = ({ authorization }: CheckInput): FoundToken => {
  if (authorization.length > 1) return ambiguous
  const value = authorization[0]
  if (value === undefined || value === '') return missing
  if (value.includes(',')) return ambiguous
  const scheme = bearer.exec(value)
  if (scheme === null) return missing
  const token = value.slice(scheme[0].length).trimEnd()
  if (token === '') return missing
  return tokenText.test(token) ? { token } : malformed
}
