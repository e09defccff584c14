/**
 * Our own events, as the log holds them: CloudEvents 1.0 in JSON. The version of the format is part of the type. With a
 * key each carries an HMAC as its last attribute, over the bytes of the event without it.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { RescindError } from '../error.ts'
import type {
  Beat,
  ClaimSetDeclaration,
  LifetimeDeclaration,
  LogEvent,
  Restoration,
  Revocation,
  RevocationTexts,
} from '../revocation.ts'

/** Most bytes of one event. */
export const eventBytesLimit = 64 * 1024

/** Types of our events. Another number after `v` is a format that this version does not know. */
export const eventTypes = {
  revocation: 'io.rescind.revocation.v1',
  restoration: 'io.rescind.restoration.v1',
  'claim-set': 'io.rescind.claim-set.v1',
  'token-lifetime': 'io.rescind.token-lifetime.v1',
  beat: 'io.rescind.beat.v1',
} as const satisfies Record<LogEvent['kind'], string>

/** Where an event comes from when nothing else is said (CloudEvents `source`). */
export const eventSource = '/rescind'

type Fields = Readonly<Record<string, unknown>>

/** Writes and reads our events. */
export interface EventCodec {
  /** Tells keys apart without telling them; empty without a key. */
  readonly id: string
  /**
   * @param id of the CloudEvent for kinds that have none of their own.
   * @throws RescindError ERR_EVENT_TOO_LARGE over 64 KiB.
   */
  encode(event: LogEvent, id?: string): Buffer
  /**
   * @throws RescindError ERR_EVENT_INVALID for anything that is not one of our events in a version known here, with a
   *   valid HMAC if there is a key.
   */
  decode(bytes: Uint8Array): LogEvent
}

/** The codec of a log; with a key, events without its HMAC are refused. */
export const createEventCodec = (key?: string): EventCodec => ({
  id: key === undefined ? '' : createHmac('sha256', key).update('id').digest('hex').slice(0, 8),
  encode: (event, id = '') => {
    const bytes = key === undefined ? encodeEvent(event, id) : sign(encodeEvent(event, id), key)
    if (bytes.length <= eventBytesLimit) return bytes
    throw new RescindError(
      'ERR_EVENT_TOO_LARGE',
      `an event of ${bytes.length} bytes; ${eventBytesLimit} are allowed`,
    )
  },
  decode: bytes => {
    if (bytes.length > eventBytesLimit) throw invalid('larger than an event may be')
    if (key !== undefined) verifyHmac(bytes, key)
    return decodeEvent(bytes)
  },
})

const encodeEvent = ({ kind, ...data }: LogEvent, id: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      type: eventTypes[kind],
      source: eventSource,
      id: 'id' in data ? data.id : id,
      datacontenttype: 'application/json',
      data,
    }),
  )

function decodeEvent(bytes: Uint8Array): LogEvent {
  const envelope = parseObject(bytes)
  if (envelope.specversion !== '1.0') throw invalid('not a CloudEvent 1.0')
  const kind = kinds.get(envelope.type)
  if (kind === undefined) throw new UnknownEventType(envelope.type)
  return readers[kind](object(envelope.data, 'data'))
}

/** ERR_EVENT_INVALID for a CloudEvent of a type that this version does not know; a later one may. */
export class UnknownEventType extends RescindError {
  /** The event's type, at most 100 characters of it. */
  readonly type: string

  constructor(type: unknown) {
    super('ERR_EVENT_INVALID', 'its type is not known to this version')
    this.type = typeof type === 'string' ? type.slice(0, 100) : typeof type
  }
}

const hmacStart = ',"hmac":"'
const hmacEnd = '"}'
/** Attribute, 32 bytes as base64url, and the end of the object. */
const hmacBytes = hmacStart.length + 43 + hmacEnd.length

const hmacOf = (head: Uint8Array, key: string): Buffer =>
  createHmac('sha256', key).update(head).update('}').digest()

function sign(event: Buffer, key: string): Buffer {
  const head = event.subarray(0, -1)
  const tail = `${hmacStart}${hmacOf(head, key).toString('base64url')}${hmacEnd}`
  return Buffer.concat([head, Buffer.from(tail)])
}

/**
 * Checks the HMAC that is an event's last attribute.
 *
 * @throws RescindError ERR_EVENT_INVALID
 */
export function verifyHmac(bytes: Uint8Array, key: string): void {
  const head = bytes.subarray(0, -hmacBytes)
  const tail = Buffer.from(bytes.subarray(-hmacBytes)).toString('latin1')
  const given = Buffer.from(tail.slice(hmacStart.length, -hmacEnd.length), 'base64url')
  const isThere = bytes.length > hmacBytes && tail.startsWith(hmacStart) && tail.endsWith(hmacEnd)
  if (!isThere || given.length !== 32) throw invalid('it has no HMAC, and eventLog.key is set')
  if (!timingSafeEqual(given, hmacOf(head, key))) throw invalid('its HMAC was not made with eventLog.key')
}

const kinds = new Map<unknown, LogEvent['kind']>(
  Object.entries(eventTypes).map(([kind, type]) => [type, kind as LogEvent['kind']]),
)

function parseObject(bytes: Uint8Array): Fields {
  try {
    return object(JSON.parse(asBuffer(bytes).toString('utf8')), 'event')
  } catch (error) {
    throw error instanceof RescindError ? error : invalid('not JSON')
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const readers: { [Kind in LogEvent['kind']]: (data: Fields) => LogEvent } = {
  revocation: (data): Revocation => {
    if (data.issuedBefore === undefined && data.expiresAt === undefined) {
      throw invalid('neither issuedBefore nor expiresAt: it would revoke nothing')
    }
    const revocation: Writable<Revocation> = {
      kind: 'revocation',
      id: identifier(data.id, 'id'),
      match: object(data.match, 'match') as Revocation['match'],
      revokedAt: time(data.revokedAt, 'revokedAt'),
    }
    if (data.issuedBefore !== undefined) revocation.issuedBefore = time(data.issuedBefore, 'issuedBefore')
    if (data.expiresAt !== undefined) revocation.expiresAt = time(data.expiresAt, 'expiresAt')
    return withTexts(revocation, data)
  },
  restoration: (data): Restoration => {
    const restoration: Writable<Restoration> = {
      kind: 'restoration',
      id: identifier(data.id, 'id'),
      target: identifier(data.target, 'target'),
      key: identifier(data.key, 'key'),
      expiresAt: time(data.expiresAt, 'expiresAt'),
      restoredAt: time(data.restoredAt, 'restoredAt'),
    }
    return withTexts(restoration, data)
  },
  'claim-set': (data): ClaimSetDeclaration => ({
    kind: 'claim-set',
    names: strings(data.names),
    cut: data.cut === true,
  }),
  'token-lifetime': (data): LifetimeDeclaration => ({
    kind: 'token-lifetime',
    seconds: time(data.seconds, 'seconds'),
    declaredAt: time(data.declaredAt, 'declaredAt'),
  }),
  beat: (data): Beat => ({
    kind: 'beat',
    epoch: identifier(data.epoch, 'epoch'),
    founding: data.founding === true,
    at: time(data.at, 'at'),
  }),
}

function object(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${name}: not an object`)
  }
  return value as Fields
}

function identifier(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)) return value
  throw invalid(`${name}: not 32 hex digits`)
}

function time(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw invalid(`${name}: not a time in seconds`)
}

function strings(value: unknown): string[] {
  if (Array.isArray(value) && value.every(element => typeof element === 'string')) return value
  throw invalid('names: not a list of claim names')
}

/** A log is read by the million: optional fields are set one by one, which makes no objects in between. */
type Writable<Event> = { -readonly [Name in keyof Event]: Event[Name] }

const textNames = ['tokenType', 'reason', 'actor'] as const satisfies readonly (keyof RevocationTexts)[]

function withTexts<Event extends Writable<RevocationTexts>>(event: Event, data: Fields): Event {
  for (const name of textNames) {
    const text = data[name]
    if (typeof text === 'string') event[name] = text
  }
  return event
}

const invalid = (message: string) => new RescindError('ERR_EVENT_INVALID', message)
