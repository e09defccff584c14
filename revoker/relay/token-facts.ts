/**
 * What is known of a token before it is passed on: from its verified signature, from introspection, or only from what it
 * says itself.
 *
 * @module
 */
import { claimValueLimit, clientOf, valueText } from '../../revocation/claims.ts'
import { RescindError } from '../../revocation/error.ts'
import { type JsonObject, ownMember } from '../../revocation/json-object.ts'
import type { Match } from '../../revocation/key.ts'
import { parseJwt } from '../../token/jwt.ts'
import { tokenFingerprint } from '../../token/token-fingerprint.ts'
import type { TokenVerifier, VerifiedToken, VerifyRules } from '../../token/verifier.ts'
import { tokenMatch } from '../revoked-token.ts'
import type { IdentityProvider } from './identity-provider.ts'

/** A token as far as it is known. */
export interface TokenFacts {
  readonly kind: 'access' | 'refresh'
  /** `signature`: it verified; `introspection`: it was active a moment ago; `nothing`: whoever sent it wrote it. */
  readonly provenBy: 'signature' | 'introspection' | 'nothing'
  /** Its client: the text of `$client`. */
  readonly client: string | undefined
  readonly subject: string | undefined
  readonly session: string | undefined
  /** The match of this one token. */
  readonly match: Match
  /** When it expires, seconds; undefined: it does not say. */
  readonly expiresAt: number | undefined
  /** A JWT, as the log line says. */
  readonly tokenType: string
}

/** What facts are looked for with. */
export interface FactsOptions {
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly provider: Pick<IdentityProvider, 'introspect'>
  /** The identity provider's tokens name it so. */
  readonly issuer: string
}

/** The `typ` claim of refresh tokens; Keycloak has `Refresh` and `Offline`. */
const refreshType = /refresh|offline/i

/**
 * Finds out what a token is.
 *
 * @returns undefined for a token of which nothing can be told
 * @throws ProviderUnreachable if it should have been introspected and could not; RescindError ERR_REQUEST_FAILED if the
 *   issuer's keys are not known: to pass it on would revoke there what nobody would be told of here
 */
export async function findFacts(
  text: string,
  hint: string | undefined,
  options: FactsOptions,
): Promise<TokenFacts | undefined> {
  const { verifier, rules, issuer, provider } = options
  const verification = await verifier.verify(text, rules())
  if (verification.ok && verification.token.issuer === issuer) return ofVerified(verification.token)
  if (!verification.ok && verification.unavailable)
    throw new RescindError('ERR_REQUEST_FAILED', `the keys of ${issuer} are not known`)
  const introspected = await provider.introspect(text, hint)
  const payload = parseJwt(text)?.payload
  const said = payload !== undefined && ownMember(payload, 'iss') === issuer ? payload : undefined
  const match = { iss: issuer, $token: tokenFingerprint(text) }
  if (introspected !== undefined) {
    // What the answer leaves out the token may say itself, for it was active (RFC 7662 section 2.2).
    const claims = { ...said, ...introspected }
    const kind = kindOf(introspected, said, hint)
    return { ...claimFacts(claims), kind, provenBy: 'introspection', match, tokenType: 'opaque' }
  }
  // A forged access token must not become a revocation; of refresh tokens the identity provider's answer tells.
  if (said === undefined || !isRefresh(said)) return undefined
  return { ...claimFacts(said), kind: 'refresh', provenBy: 'nothing', match, tokenType: 'opaque' }
}

/** An ID token is verified by the same keys, and is none that a resource server takes (Keycloak's claim `typ`). */
function ofVerified(token: VerifiedToken): TokenFacts | undefined {
  const { payload } = token
  if (ownMember(payload, 'typ') === 'ID') return undefined
  return {
    ...claimFacts(payload),
    kind: isRefresh(payload) ? 'refresh' : 'access',
    provenBy: 'signature',
    match: tokenMatch(token),
    tokenType: 'JWT',
  }
}

/** Not every identity provider says which kind a token is; then the hint does. */
function kindOf(
  answer: JsonObject,
  said: JsonObject | undefined,
  hint: string | undefined,
): TokenFacts['kind'] {
  const types = [ownMember(answer, 'token_type'), ownMember(answer, 'typ'), said && ownMember(said, 'typ')]
  if (types.some(type => typeof type === 'string' && refreshType.test(type))) return 'refresh'
  return hint === 'refresh_token' && types[0] === undefined ? 'refresh' : 'access'
}

function claimFacts(claims: JsonObject): Pick<TokenFacts, 'client' | 'subject' | 'session' | 'expiresAt'> {
  const exp = ownMember(claims, 'exp')
  return {
    client: clientOf(claims),
    subject: shortText(claims, 'sub'),
    session: shortText(claims, 'sid'),
    expiresAt: typeof exp === 'number' ? exp : undefined,
  }
}

/** A claim by which something can be revoked; a longer one no enforcer could look for. */
function shortText(claims: JsonObject, name: string): string | undefined {
  const text = valueText(ownMember(claims, name))
  return text !== undefined && text.length <= claimValueLimit ? text : undefined
}

const isRefresh = (payload: JsonObject): boolean => {
  const type = ownMember(payload, 'typ')
  return typeof type === 'string' && refreshType.test(type)
}
