/**
 * The response headers with which WSO2's revocation endpoint answers.
 *
 * @module
 */
import { ownMember } from '../revocation/json-object.ts'
import type { VerifiedToken } from '../token/verifier.ts'

/** Sent with every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'X-XSS-Protection': '1; mode=block',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
}

/** Most bytes of a header value. */
const valueLimit = 4_096

/** The headers that tell what was revoked: the token itself, and whose it was. */
export function revokedHeaders(
  tokenText: string,
  token: VerifiedToken,
  tenantDomain: string,
): Record<string, string> {
  const subject = ownMember(token.payload, 'sub')
  return {
    RevokedAccessToken: headerValue(tokenText),
    ...(typeof subject === 'string' ? { AuthorizedUser: headerValue(`${subject}@${tenantDomain}`) } : {}),
  }
}

/** A text as a header value: what is not printable ASCII is percent-encoded, so that nothing can be injected. */
export function headerValue(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]/gu, character => encodeURIComponent(character.toWellFormed()))
    .slice(0, valueLimit)
}
