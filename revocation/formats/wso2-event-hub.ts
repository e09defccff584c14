/**
 * The `tokenRevocation` events of WSO2 API Manager, and its list of revoked tokens. Times there are milliseconds.
 *
 * @module
 */
import { type JsonObject, ownMember, parseJsonObject } from '../json-object.ts'
import { opaqueFingerprint } from '../token-fingerprint.ts'
import {
  type ForeignContext,
  type ForeignFormat,
  type ForeignRevocation,
  forIssuers,
  invalidEvent,
  objectMember,
  textMember,
} from './foreign-format.ts'

/** `{"event":{"payloadData":{"type":...,"revokedToken":...}}}` */
export const wso2EventHub: ForeignFormat = {
  name: 'wso2-event-hub',
  signed: false,
  recognises: ({ signed, body }) => !signed && ownMember(body, 'event') !== undefined,
  read({ body }, context) {
    const data = objectMember(objectMember(body, 'event'), 'payloadData')
    const type = textMember(data, 'type')
    const read = readers.get(type)
    if (read === undefined) throw invalidEvent('type: not known')
    return bound(read(data), context)
  },
}

/**
 * An entry of `GET /internal/data/v1/revokedjwt`: a JWT by its jti or, if it has none, by its signature.
 *
 * @throws RescindError ERR_EVENT_INVALID
 */
export function readRevokedJwt(entry: JsonObject, context: ForeignContext): readonly ForeignRevocation[] {
  const expiresAt = seconds(ownMember(entry, 'expiry_time'), 'expiry_time')
  if (ownMember(entry, 'jti')) return bound({ match: { jti: textMember(entry, 'jti') }, expiresAt }, context)
  // No claim set has a signature beside an issuer: it stands for one token of one issuer by itself.
  const $signature = canonicalSignature(textMember(entry, 'jwt_signature'))
  return [{ match: { $signature }, expiresAt }]
}

type Reader = (data: JsonObject) => ForeignRevocation

const tokenRevocation =
  (tokenType: string, matchOf: (token: string) => ForeignRevocation['match']): Reader =>
  data => ({
    match: matchOf(textMember(data, 'revokedToken')),
    expiresAt: seconds(ownMember(data, 'expiryTime'), 'expiryTime'),
    tokenType,
  })

const readers: ReadonlyMap<string, Reader> = new Map([
  ['JWT', tokenRevocation('JWT', jti => ({ jti }))],
  ['APIKey', tokenRevocation('APIKey', jti => ({ jti }))],
  ['Default', tokenRevocation('Default', token => ({ $token: opaqueFingerprint(token) }))],
  ['consumer_app_revocation_event', consumerApp],
  ['subject_entity_revocation_event', subjectEntity],
])

function consumerApp(data: JsonObject): ForeignRevocation {
  const event = nestedEvent(data)
  return { match: { $client: textMember(event, 'consumerKey') }, issuedBefore: issuedBeforeOf(event) }
}

const subjectNames: ReadonlyMap<string, string> = new Map([
  ['USER_ID', 'sub'],
  ['CLIENT_ID', '$client'],
])

function subjectEntity(data: JsonObject): ForeignRevocation {
  const event = nestedEvent(data)
  const name = subjectNames.get(textMember(event, 'entityType'))
  if (name === undefined) throw invalidEvent('entityType: neither USER_ID nor CLIENT_ID')
  return { match: { [name]: textMember(event, 'entityId') }, issuedBefore: issuedBeforeOf(event) }
}

const bound = ({ match, ...rest }: ForeignRevocation, context: ForeignContext): ForeignRevocation[] =>
  forIssuers(match, context).map(each => ({ match: each, ...rest }))

const nestedDepthLimit = 4

/** These two types carry an event of their own in `revokedToken`, as base64 of JSON. */
function nestedEvent(data: JsonObject): JsonObject {
  const text = textMember(data, 'revokedToken')
  const isBase64 = /^[\w+/-]+={0,2}$/.test(text)
  const event = isBase64 ? parseJsonObject(Buffer.from(text, 'base64'), nestedDepthLimit) : undefined
  if (event === undefined) throw invalidEvent('revokedToken: not one unambiguous JSON object in base64')
  return event
}

/** WSO2 rejects a token when revocationTime > iat, in milliseconds: the last whole second for which that holds. */
const issuedBeforeOf = (event: JsonObject): number =>
  Math.ceil(milliseconds(ownMember(event, 'revocationTime'), 'revocationTime') / 1000) - 1

const seconds = (value: unknown, name: string): number => Math.ceil(milliseconds(value, name) / 1000)

/** Numbers come as text too. */
function milliseconds(value: unknown, name: string): number {
  const number = typeof value === 'string' && /^\d{1,19}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number) && number > 0) return number
  throw invalidEvent(`${name}: not a time in milliseconds`)
}

/** The one spelling of the signature's octets: what `$signature` of a token is. */
function canonicalSignature(text: string): string {
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) throw invalidEvent('jwt_signature: not base64url')
  return Buffer.from(text, 'base64url').toString('base64url')
}
