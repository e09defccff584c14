/**
 * Reports of tokens that an issuer has issued: the body of `POST /grants` and the data of a tokens-issued event.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import { claimValueLimit, clientOf } from '../../revocation/claims.ts'
import { RescindError } from '../../revocation/error.ts'
import { type JsonObject, ownMember } from '../../revocation/json-object.ts'
import { jwtFingerprint, opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import type { ParsedJwt } from '../../token/jwt.ts'
import { tokenMatch } from '../revoked-token.ts'
import type { Grant, StoredToken } from './grant-store.ts'
import { type PresentedToken, presentedToken, tokenLimit } from './presented-token.ts'

const clientIdLimit = 256

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

const issuedToken = Type.Object(
  {
    token: text(tokenLimit),
    /** Seconds. */
    expiresAt: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1 })),
  },
  { additionalProperties: false },
)

const issuedTokens = Type.Object(
  {
    /** What the issuer calls the grant. */
    grantId: Type.Optional(text(256)),
    issuer: text(2_048),
    clientId: Type.Optional(text(clientIdLimit)),
    subject: Type.Optional(text(claimValueLimit)),
    scopes: Type.Optional(Type.Array(text(256), { maxItems: 100 })),
    accessToken: Type.Optional(issuedToken),
    refreshToken: Type.Optional(issuedToken),
  },
  { additionalProperties: false },
)

/** One report: what was issued together. */
export type IssuedTokens = Static<typeof issuedTokens>

/** Schema of what is sent: a report, or several. */
export const reportsSchema = Type.Union([
  issuedTokens,
  Type.Array(issuedTokens, { minItems: 1, maxItems: 100 }),
])

/** The reports of what was sent. */
export const reportsOf = (sent: Static<typeof reportsSchema>): readonly IssuedTokens[] =>
  Array.isArray(sent) ? sent : [sent]

/** A token of a report, read. */
export interface IssuedToken {
  readonly text: string
  readonly presented: PresentedToken
  readonly stored: Omit<StoredToken, 'sealed'>
}

/** A report, read: what a JWT says of itself is taken from it. */
export interface ReadReport {
  readonly grant: Grant
  readonly grantName: string | undefined
  readonly access: IssuedToken | undefined
  readonly refresh: IssuedToken | undefined
}

/** The times by which a report is read, seconds. */
export interface ReportTimes {
  readonly now: number
  /** The longest time for which a token that exists now can be accepted. */
  readonly longestToken: number
}

/** A refresh token that is not reported again is found for so long at most, seconds. */
const refreshTokenSecondsMax = 366 * 24 * 3_600

/**
 * Reads a report. The signature of a JWT is not verified: whoever reports speaks for the issuer.
 *
 * @throws RescindError ERR_GRANT_REFUSED if it contradicts itself, or says too little.
 */
export function readReport(report: IssuedTokens, times: ReportTimes): ReadReport {
  const { issuer, grantId: grantName, accessToken, refreshToken, scopes } = report
  if (accessToken === undefined && refreshToken === undefined)
    throw refused('neither accessToken nor refreshToken is there')
  const presented = accessToken === undefined ? undefined : presentedToken(accessToken.token)
  const claims = presented?.jwt?.payload ?? {}
  checkIssuer(issuer, claims)
  const subject = textClaim(claims, 'sub') ?? report.subject
  const access = accessToken && presented && readAccessToken(issuer, presented, accessToken, times)
  return {
    grant: {
      issuer,
      clientId: clientIdOf(report.clientId, claims),
      ...(subject === undefined ? {} : { subject }),
      ...(scopes === undefined ? {} : { scopes }),
    },
    grantName,
    access,
    refresh: refreshToken && readRefreshToken(refreshToken, access?.stored.expiresAt ?? 0, times),
  }
}

function checkIssuer(issuer: string, claims: JsonObject): void {
  const claimed = ownMember(claims, 'iss')
  if (claimed !== undefined && claimed !== issuer) throw refused('accessToken: its iss is another issuer')
}

/** Only what names the client alone can contradict a report: `aud` may be the API. */
function clientIdOf(reported: string | undefined, claims: JsonObject): string {
  const named = clientOf({ client_id: ownMember(claims, 'client_id'), azp: ownMember(claims, 'azp') })
  if (reported !== undefined && named !== undefined && named !== reported)
    throw refused('accessToken: it was issued to another client than clientId')
  const clientId = reported ?? clientOf(claims)
  if (clientId === undefined || clientId === '' || clientId.length > clientIdLimit)
    throw refused('clientId is missing, and no JWT says it')
  return clientId
}

/** Whatever it says of its end, no token is accepted for longer than the longest lifetime. */
function readAccessToken(
  issuer: string,
  presented: PresentedToken,
  { token, expiresAt }: NonNullable<IssuedTokens['accessToken']>,
  { now, longestToken }: ReportTimes,
): IssuedToken {
  const { jwt } = presented
  const ends = [expiresAt, jwt === undefined ? undefined : ownMember(jwt.payload, 'exp')]
  const known = ends.filter(end => typeof end === 'number' && Number.isFinite(end)) as number[]
  const latest = Math.ceil(now + longestToken)
  const end = known.length === 0 ? latest : Math.min(latest, Math.max(0, ...known))
  return { text: token, presented, stored: { ...revokedBy(issuer, token, jwt), expiresAt: end } }
}

/** What revokes an access token. */
function revokedBy(
  issuer: string,
  token: string,
  jwt: ParsedJwt | undefined,
): Pick<StoredToken, 'form' | 'name'> {
  if (jwt === undefined) return { form: 'opaque', name: opaqueFingerprint(token) }
  const fingerprint = () => jwtFingerprint(jwt.headerOctets, jwt.payloadOctets)
  const { jti, $token } = tokenMatch({ issuer, payload: jwt.payload, fingerprint })
  return jti === undefined ? { form: 'jwt', name: String($token) } : { form: 'jti', name: String(jti) }
}

/** It is found as long as the access token lives that came with it. */
function readRefreshToken(
  { token, expiresAt }: NonNullable<IssuedTokens['refreshToken']>,
  accessExpiresAt: number,
  { now }: ReportTimes,
): IssuedToken {
  const latest = Math.ceil(now + refreshTokenSecondsMax)
  const end = Math.max(accessExpiresAt, Math.min(latest, expiresAt ?? latest))
  const stored = { form: 'refresh', name: '', expiresAt: end } as const
  return { text: token, presented: presentedToken(token), stored }
}

function textClaim(claims: JsonObject, name: string): string | undefined {
  const value = ownMember(claims, name)
  return typeof value === 'string' && value !== '' && value.length <= claimValueLimit ? value : undefined
}

const refused = (why: string) => new RescindError('ERR_GRANT_REFUSED', why)
