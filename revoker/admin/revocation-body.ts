/**
 * What an administrator may ask to be revoked: a token, or any claims of a claim set that is admitted.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import type { Match } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { TokenVerifier, VerifyRules } from '../../token/verifier.ts'
import { cutNow } from '../margins.ts'
import type { Problem } from '../problem.ts'
import type { NewRevocation } from '../publisher.ts'
import { tokenMatch } from '../revoked-token.ts'
import { reasonText, seconds, tokenText } from './fields.ts'

/** What a body is judged by. */
export interface RevocationBodyOptions {
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  /** Issuers of the configuration; a revocation that names another one would revoke nothing. */
  readonly issuers: readonly string[]
  /** Says how long a cut lasts. */
  readonly state: Pick<LiveState, 'timesOf'>
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** The body of `POST /revocations`, and an element of that of `POST /revocations:batch`. */
export const revocationBody = Type.Object(
  {
    token: Type.Optional(
      tokenText('A JWT, which is verified; it is revoked until it expires. Or give match.'),
    ),
    match: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Claims and values that must all equal: one of the claim sets that are admitted.',
      }),
    ),
    issuedBefore: Type.Optional(
      Type.Union([Type.Literal('now'), seconds('Seconds since 1970.')], {
        description: 'A cut: only tokens issued until then are rejected. It lasts as long as they can live.',
      }),
    ),
    expiresAt: Type.Optional(seconds('A block: until when, seconds since 1970.')),
    issuerWide: Type.Optional(
      Type.Boolean({
        description: 'Must be true for {iss} and {iss, $kid}, which revoke nearly everything.',
      }),
    ),
    reason: Type.Optional(reasonText),
  },
  { additionalProperties: false },
)

/** A body that fits {@link revocationBody}. */
export type RevocationBody = Static<typeof revocationBody>

/** The revocation that a body asks for, or what is wrong with it. */
export async function newRevocation(
  body: RevocationBody,
  actor: string,
  options: RevocationBodyOptions,
): Promise<NewRevocation | Problem> {
  const texts = { actor, ...(body.reason === undefined ? {} : { reason: body.reason }) }
  if ((body.token === undefined) === (body.match === undefined)) return invalid('give either token or match')
  if (body.token !== undefined) return tokenRevocation(body, texts, options)
  const match = body.match as Match
  const times = timesOf(body, match, options)
  return (
    issuerProblem(match, body.issuerWide === true, options.issuers) ??
    overProblem(times, options) ?? { match, ...texts, ...times }
  )
}

type GivenTimes = Pick<NewRevocation, 'expiresAt' | 'issuedBefore'>

function timesOf(
  { expiresAt, issuedBefore }: RevocationBody,
  match: Match,
  { nowSeconds }: RevocationBodyOptions,
): GivenTimes {
  const cut = issuedBefore === 'now' ? cutNow(match, nowSeconds()) : issuedBefore
  return {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(cut === undefined ? {} : { issuedBefore: cut }),
  }
}

/** A day: what expired a moment ago nobody meant otherwise. */
const longOverSeconds = 86_400

/** A date in other units, or of another century, would be answered as revoked, and revoke nothing. */
function overProblem(times: GivenTimes, { state, nowSeconds }: RevocationBodyOptions): Problem | undefined {
  const isGiven = times.expiresAt !== undefined || times.issuedBefore !== undefined
  const { expiresAt } = state.timesOf(times)
  if (!isGiven || expiresAt + longOverSeconds > nowSeconds()) return undefined
  const name = times.issuedBefore === undefined ? 'expiresAt' : 'issuedBefore'
  return invalid(
    `${name}: what this revokes has expired, so it would revoke nothing; give seconds since 1970`,
  )
}

async function tokenRevocation(
  body: RevocationBody,
  texts: { readonly actor: string; readonly reason?: string },
  { verifier, rules }: RevocationBodyOptions,
): Promise<NewRevocation | Problem> {
  if (body.issuedBefore !== undefined || body.expiresAt !== undefined) {
    return invalid('token: a token is revoked until it expires; leave out issuedBefore and expiresAt')
  }
  const verification = await verifier.verify(body.token as string, rules())
  if (verification.ok) {
    const { token } = verification
    return { match: tokenMatch(token), expiresAt: token.expSeconds, tokenType: 'JWT', ...texts }
  }
  if (verification.unavailable) return keysUnavailable
  return invalid(`token: not a token that an enforcer accepts (${verification.reason})`)
}

/** Nothing was decided about a token. */
export const keysUnavailable: Problem = {
  status: 503,
  code: 'ERR_KEYS_UNAVAILABLE',
  detail: "the issuer's keys are not available; try again",
}

/** An issuer-wide revocation needs a flag, and a misspelt issuer would revoke nothing. */
function issuerProblem(match: Match, issuerWide: boolean, issuers: readonly string[]): Problem | undefined {
  const names = Object.keys(match)
  if (Object.hasOwn(match, 'iss') && !issuers.includes(String(match.iss))) {
    return invalid(`match.iss: not one of the configured issuers (${issuers.join(', ') || 'none'})`)
  }
  const isWide = names.length > 0 && names.every(name => name === 'iss' || name === '$kid')
  if (isWide && !issuerWide) {
    return invalid(
      'match: this revokes every token of an issuer or of its key; set issuerWide to true if you mean it',
    )
  }
  return undefined
}

function invalid(detail: string): Problem {
  return { status: 400, code: 'ERR_REVOCATION_INVALID', detail }
}
