/**
 * Access tokens of administrators: JWTs of one issuer, for one audience, with a scope, that are not revoked themselves.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { LogFollower } from '../../event-log/follow.ts'
import { clientOf, valueText } from '../../revocation/claims.ts'
import { ownMember } from '../../revocation/json-object.ts'
import { rejecting } from '../../revocation/probes.ts'
import { lifetimeAt } from '../../revocation/token-lifetimes.ts'
import { percentEncoded } from '../../runtime/printable.ts'
import { factsOf } from '../../token/facts.ts'
import type { TokenVerifier, VerifiedToken } from '../../token/verifier.ts'
import type { Problem } from '../problem.ts'
import { keysUnavailable } from './revocation-body.ts'

/** Which access tokens are those of administrators. */
export interface AdminAccessTokens {
  /** Of the one issuer, with the one audience, and by the rules of an enforcer: no keys of yesterday. */
  readonly verifier: TokenVerifier
  /** What the token's scope must contain. */
  readonly scope: string
  /** None is taken when the log has not been heard of for longer: whether they are revoked is not known then. */
  readonly maxStalenessMs: number
}

/** What more a token is judged by. */
export interface AccessTokenOptions extends AdminAccessTokens {
  readonly follower: LogFollower
  readonly clockToleranceSeconds: number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Whose a token is, or why it is not taken, or why that cannot be said. */
export type AccessTokenVerdict =
  | { readonly name: string }
  | { readonly refused: string }
  | { readonly unknown: Problem }

const nameLimit = 256

/** Judges an access token. */
export async function judgeAccessToken(
  text: string,
  options: AccessTokenOptions,
): Promise<AccessTokenVerdict> {
  const { verifier, scope, maxStalenessMs, follower, clockToleranceSeconds } = options
  const { lifetimes } = follower.state
  const rules = { clockToleranceSeconds, maxTokenLifetimeSeconds: lifetimes.seconds }
  const verification = await verifier.verify(text, rules)
  if (!verification.ok)
    return verification.unavailable ? { unknown: keysUnavailable } : { refused: verification.reason }
  const { token } = verification
  if (token.expSeconds - token.iatSeconds > lifetimeAt(lifetimes, token.iatSeconds)) {
    return { refused: 'lifetime_too_long' }
  }
  if (!scopesOf(token).includes(scope)) return { refused: 'missing_scope' }
  if (isRevoked(token, options)) return { refused: 'revoked' }
  const isStale = performance.now() - follower.confirmedAtMs > maxStalenessMs
  return isStale ? { unknown: logUnheard } : { name: nameOf(token) }
}

const logUnheard: Problem = {
  status: 503,
  code: 'ERR_LOG_BEHIND',
  detail:
    'the event log does not answer, so whether this access token is revoked is not known; use a static token or a certificate',
}

/** RFC 9068 section 2.2.3 has `scope` as one text; others write `scp`, or a list. */
function scopesOf({ payload }: VerifiedToken): readonly string[] {
  const scopes = ownMember(payload, 'scope') ?? ownMember(payload, 'scp')
  if (typeof scopes === 'string') return scopes.split(' ')
  return Array.isArray(scopes) ? scopes.filter(scope => typeof scope === 'string') : []
}

/** What cannot be decided counts as revoked. */
function isRevoked(token: VerifiedToken, options: AccessTokenOptions): boolean {
  const { follower, clockToleranceSeconds, nowSeconds } = options
  const { payload, iatSeconds } = token
  const probed = { claims: payload, facts: factsOf(token), iatSeconds }
  const found = rejecting(follower.state, probed, nowSeconds() - clockToleranceSeconds)
  return typeof found === 'string' || found.length > 0
}

/** Never the name of a static token, unless the configuration has one that begins like this. */
function nameOf({ payload }: VerifiedToken): string {
  const who = valueText(ownMember(payload, 'sub')) ?? clientOf(payload) ?? 'unknown'
  const name = percentEncoded(who)
  // Two that are cut must not become one.
  const rest =
    name.length > nameLimit ? `#${createHash('sha256').update(who).digest('hex').slice(0, 16)}` : ''
  return `jwt:${name.slice(0, nameLimit)}${rest}`
}
