/**
 * Security event tokens (RFC 8417) with the event session-revoked of CAEP 1.0 section 3.1; subjects as RFC 9493 names
 * them. Whoever calls this has verified the token.
 *
 * @module
 */
import { type JsonObject, ownMember } from '../json-object.ts'
import {
  type ForeignContext,
  type ForeignFormat,
  type ForeignRevocation,
  invalidEvent,
  objectMember,
  textMember,
} from './foreign-format.ts'

/** The event type that is understood. */
export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

/** A SET as its signed payload. */
export const setCaep: ForeignFormat = {
  name: 'set-caep',
  signed: true,
  recognises: ({ signed, body }) => signed && ownMember(body, 'events') !== undefined,
  read({ body }, context) {
    const event = objectMember(objectMember(body, 'events'), sessionRevoked)
    const holder = ownMember(event, 'subject') === undefined ? body : event
    const subject = objectMember(holder, holder === body ? 'sub_id' : 'subject')
    return [{ match: matchOf(subject, context), issuedBefore: timeOf(event, body) }]
  },
}

/** A complex subject names a session, or else a user: whatever else narrows the user (a device) is not looked at. */
function matchOf(subject: JsonObject, context: ForeignContext): ForeignRevocation['match'] {
  if (ownMember(subject, 'format') !== 'complex') return simpleMatch(subject, 'sub', context)
  const user = ownMember(subject, 'user') === undefined ? undefined : objectMember(subject, 'user')
  if (ownMember(subject, 'session') === undefined) {
    if (user === undefined) throw invalidEvent('subject: names neither a session nor a user')
    return simpleMatch(user, 'sub', context)
  }
  const issuer = user === undefined ? undefined : ownMember(user, 'iss')
  return simpleMatch(objectMember(subject, 'session'), 'sid', context, issuer)
}

/** `iss_sub` and `opaque` (RFC 9493 sections 3.2.3 and 3.2.6) as the value of a claim. */
function simpleMatch(
  subject: JsonObject,
  claim: 'sub' | 'sid',
  context: ForeignContext,
  issuer?: unknown,
): ForeignRevocation['match'] {
  const format = ownMember(subject, 'format')
  if (format === 'iss_sub') return { iss: textMember(subject, 'iss'), [claim]: textMember(subject, 'sub') }
  if (format !== 'opaque') throw invalidEvent('subject.format: must be iss_sub, opaque or complex')
  return { iss: issuerOf(issuer, context), [claim]: textMember(subject, 'id') }
}

/** An opaque subject belongs to the issuer beside it, else to the only one that the transmitter may speak for. */
function issuerOf(named: unknown, { issuers }: ForeignContext): string {
  if (typeof named === 'string') return named
  const [only, ...others] = issuers
  if (only !== undefined && others.length === 0) return only
  throw invalidEvent('subject: opaque, and the transmitter may speak for more than one issuer')
}

/** Seconds from here on would be after the year 5000: early drafts of CAEP had milliseconds. */
const millisecondsFrom = 100_000_000_000

/** When it happened: said by the event, else by the SET (`toe`, RFC 8417 section 2.2), else when the SET was issued. */
function timeOf(event: JsonObject, body: JsonObject): number {
  const value = ownMember(event, 'event_timestamp') ?? ownMember(body, 'toe') ?? ownMember(body, 'iat')
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw invalidEvent('event_timestamp: not a time in seconds')
  }
  return Math.floor(value >= millisecondsFrom ? value / 1000 : value)
}
