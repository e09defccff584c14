/**
 * What others publish: how a format of theirs becomes revocations, and what such a revocation may say.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { RescindError } from '../error.ts'
import { isJsonObject, type JsonObject, ownMember } from '../json-object.ts'
import { type Match, matchKey } from '../key.ts'
import type { Revocation } from '../revocation.ts'

/** A message that was parsed, and whose signature was verified if it has one. */
export interface ForeignMessage {
  /** As it arrived. */
  readonly bytes: Uint8Array
  /** It is a compact JWS (RFC 7515): `body` is its payload. */
  readonly signed: boolean
  readonly body: JsonObject
}

/** What is known of the sender. */
export interface ForeignContext {
  /** The issuers that it may speak for. None: it knows no issuers, and its revocations name none. */
  readonly issuers: readonly string[]
  /** The HMAC key of events in our own format; without it they need none. */
  readonly eventKey?: string | undefined
}

/** What a message revokes; times in seconds. */
export type ForeignRevocation = Pick<
  Revocation,
  'match' | 'issuedBefore' | 'expiresAt' | 'tokenType' | 'reason'
>

/** A format of others. */
export interface ForeignFormat {
  /** As the configuration names it. */
  readonly name: string
  /** Only a message whose signature was verified is read. */
  readonly signed: boolean
  /** Whether a message is of this format, by its content; it may still be wrong. */
  recognises(message: ForeignMessage): boolean
  /** @throws RescindError ERR_EVENT_INVALID with the field and what is wrong; never with a value. */
  read(message: ForeignMessage, context: ForeignContext): readonly ForeignRevocation[]
}

/** An error for a message that cannot be used. */
export const invalidEvent = (message: string) => new RescindError('ERR_EVENT_INVALID', message)

/**
 * A member that must be an object.
 *
 * @throws RescindError ERR_EVENT_INVALID
 */
export function objectMember(object: JsonObject, name: string): JsonObject {
  const value = ownMember(object, name)
  if (isJsonObject(value)) return value
  throw invalidEvent(`${name}: not an object`)
}

/**
 * A member that must be text.
 *
 * @throws RescindError ERR_EVENT_INVALID
 */
export function textMember(object: JsonObject, name: string): string {
  const value = ownMember(object, name)
  if (typeof value === 'string' && value !== '') return value
  throw invalidEvent(`${name}: not a text`)
}

/** The same for each issuer of the sender; without `iss` if it has none. */
export const forIssuers = (match: Match, { issuers }: ForeignContext): readonly Match[] =>
  issuers.length === 0 ? [match] : issuers.map(iss => ({ iss, ...match }))

const singleNames = ['jti', '$token', '$signature', 'sub', 'sid', '$client']

/**
 * Checks that a revocation is of a single token, user, client or session, and of an issuer that the sender may speak for.
 *
 * @throws RescindError ERR_EVENT_INVALID
 */
export function checkForeign({ match }: ForeignRevocation, { issuers }: ForeignContext): void {
  const names = Object.keys(match)
  if (!names.some(name => singleNames.includes(name)) || names.includes('$kid')) {
    throw invalidEvent('match: only single tokens, users, clients and sessions can be revoked this way')
  }
  const issuer = ownMember(match, 'iss')
  if (issuers.length === 0 ? issuer !== undefined : !issuers.includes(issuer as string)) {
    throw invalidEvent('match.iss: not an issuer that this sender may speak for')
  }
}

/**
 * The id of a revocation from a source that repeats itself: 128 bits of SHA-256 over source, key and issuedBefore, each
 * after its length (u32, big-endian). So a repeat is the same revocation and cannot revive a restored one.
 *
 * @returns 32 hex digits
 * @throws RescindError ERR_REVOCATION_INVALID if nothing can match it.
 */
export function foreignId(source: string, { match, issuedBefore }: ForeignRevocation): string {
  const { key } = matchKey(match, issuedBefore !== undefined)
  const hash = createHash('sha256')
  for (const part of [Buffer.from(source), key, Buffer.from(String(issuedBefore ?? ''))]) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    hash.update(length).update(part)
  }
  return hash.digest('hex').slice(0, 32)
}
