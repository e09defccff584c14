/**
 * How identity providers say that a token is revoked, and what a refresh token takes with it. Each answers differently
 * where RFC 7009 leaves room. No I/O.
 *
 * @module
 */
import type { Match } from '../../revocation/key.ts'
import { toldHeaders } from '../endpoint/response-headers.ts'
import { errorOf, type ProviderAnswer, unsupportedType } from './identity-provider.ts'
import type { TokenFacts } from './token-facts.ts'

/** Something that a token takes with it: until it expires, or (`cut`) all that was issued until now. */
export interface Taken {
  readonly match: Match
  /** Seconds; undefined of a cut, and of a token that does not say. */
  readonly expiresAt?: number | undefined
  readonly cut: boolean
  readonly tokenType: string
}

/**
 * What an answer says. `revoked`: the identity provider's own sign of success. `dead`: nothing remains
 * to be done there, which is what it also says of forgeries. `refused`: nothing has changed. `unclear`: it failed.
 */
export type Verdict = 'revoked' | 'dead' | 'refused' | 'unclear'

/** An identity provider's ways. */
export interface Preset {
  verdict(answer: ProviderAnswer): Verdict
  /** What of {@link TokenFacts} dies with the token. */
  taken(facts: TokenFacts): readonly Taken[]
  /** Access tokens that the answer names as revoked; absent where none ever does. */
  named?(answer: ProviderAnswer): readonly string[]
}

/** A failure of the server; whatever else is not a success is the request's own fault. */
const failed = (status: number): Verdict => (status >= 500 ? 'unclear' : 'refused')

/**
 * A 200 is also the answer for a token that is not known (RFC 7009 section 2.2): it proves nothing by itself. Some cannot
 * revoke JWTs and say so, after they have authenticated the client (oidc-provider): here they can be revoked.
 */
const generic: Preset = {
  verdict: answer =>
    answer.status === 200 || errorOf(answer) === unsupportedType ? 'dead' : failed(answer.status),
  taken: facts => (facts.kind === 'access' ? [ofToken(facts)] : ofUserAtClient(facts)),
}

/**
 * Keycloak 26: an empty 200 is success, a 200 with `invalid_token` the answer for forgeries and repeats; 409 comes for an
 * access token that was revoked already.
 */
const keycloak: Preset = {
  verdict: ({ status, body }) => {
    if (status === 200) return body.length === 0 ? 'revoked' : 'dead'
    return status === 409 ? 'dead' : failed(status)
  },
  taken: generic.taken,
}

const [accessHeader, refreshHeader] = toldHeaders

/** WSO2 names in headers what it has revoked; a bare 200 is the answer for a token that is not known. */
const wso2: Preset = {
  verdict: ({ status, headers }) => {
    if (status !== 200) return failed(status)
    const isNamed = [accessHeader, refreshHeader].some(name => headers[name.toLowerCase()] !== undefined)
    return isNamed ? 'revoked' : 'dead'
  },
  taken: facts => (facts.kind === 'access' ? [ofToken(facts)] : []),
  named: ({ headers }) => {
    const token = headers[accessHeader.toLowerCase()]
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? [token] : []
  },
}

/** The presets by name. */
export const presets = { generic, keycloak, wso2 } as const satisfies Record<string, Preset>

const ofToken = ({ match, expiresAt, tokenType }: TokenFacts): Taken => ({
  match,
  expiresAt,
  tokenType,
  cut: false,
})

/**
 * All of a user's access tokens for a client: nothing links an access token to its refresh token. By session for access
 * tokens without a subject. Not the session alone: its other clients live on.
 */
function ofUserAtClient({ match: { iss }, client, subject, session }: TokenFacts): readonly Taken[] {
  if (iss === undefined || client === undefined) return []
  const cut = (claims: Match): Taken => ({
    match: { iss, ...claims, $client: client },
    cut: true,
    tokenType: 'JWT',
  })
  return [
    ...(subject === undefined ? [] : [cut({ sub: subject })]),
    ...(session === undefined ? [] : [cut({ sid: session })]),
  ]
}
