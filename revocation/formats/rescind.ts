/**
 * Our own events, as the log holds them: CloudEvents 1.0 in JSON. The version of the format is part of the type.
 *
 * @module
 */
import { RescindError } from '../error.ts'
import type {
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
} as const satisfies Record<LogEvent['kind'], string>

/** Where an event comes from when nothing else is said (CloudEvents `source`). */
export const eventSource = '/rescind'

type Fields = Readonly<Record<string, unknown>>

/**
 * Writes an event.
 *
 * @param id of the CloudEvent for kinds that have none of their own.
 * @throws RescindError ERR_EVENT_TOO_LARGE over 64 KiB.
 */
export function encodeEvent(event: LogEvent, id = ''): Buffer {
  const { kind, ...data } = event
  const bytes = Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      type: eventTypes[kind],
      source: eventSource,
      id: 'id' in event ? event.id : id,
      datacontenttype: 'application/json',
      data,
    }),
  )
  if (bytes.length <= eventBytesLimit) return bytes
  throw new RescindError(
    'ERR_EVENT_TOO_LARGE',
    `an event of ${bytes.length} bytes; ${eventBytesLimit} are allowed`,
  )
}

/**
 * Reads an event.
 *
 * @throws RescindError ERR_EVENT_INVALID for anything that is not one of our events in a version known here.
 */
export function decodeEvent(bytes: Uint8Array): LogEvent {
  if (bytes.length > eventBytesLimit) throw invalid('larger than an event may be')
  const envelope = parseObject(bytes)
  if (envelope.specversion !== '1.0') throw invalid('not a CloudEvent 1.0')
  const kind = kinds.get(envelope.type)
  if (kind === undefined) throw invalid('its type is not known to this version')
  return readers[kind](object(envelope.data, 'data'))
}

const kinds = new Map<unknown, LogEvent['kind']>(
  Object.entries(eventTypes).map(([kind, type]) => [type, kind as LogEvent['kind']]),
)

function parseObject(bytes: Uint8Array): Fields {
  try {
    return object(JSON.parse(Buffer.from(bytes).toString('utf8')), 'event')
  } catch (error) {
    throw error instanceof RescindError ? error : invalid('not JSON')
  }
}

const readers: { [Kind in LogEvent['kind']]: (data: Fields) => LogEvent } = {
  revocation: (data): Revocation => {
    if (data.issuedBefore === undefined && data.expiresAt === undefined) {
      throw invalid('neither issuedBefore nor expiresAt: it would revoke nothing')
    }
    return {
      kind: 'revocation',
      id: identifier(data.id, 'id'),
      match: object(data.match, 'match') as Revocation['match'],
      ...optionalTime('issuedBefore', data.issuedBefore),
      ...optionalTime('expiresAt', data.expiresAt),
      revokedAt: time(data.revokedAt, 'revokedAt'),
      ...texts(data),
    }
  },
  restoration: (data): Restoration => ({
    kind: 'restoration',
    id: identifier(data.id, 'id'),
    target: identifier(data.target, 'target'),
    key: identifier(data.key, 'key'),
    expiresAt: time(data.expiresAt, 'expiresAt'),
    restoredAt: time(data.restoredAt, 'restoredAt'),
    ...texts(data),
  }),
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

const optionalTime = <Name extends string>(name: Name, value: unknown): { [Key in Name]?: number } =>
  value === undefined ? {} : ({ [name]: time(value, name) } as { [Key in Name]: number })

const texts = (data: Fields): RevocationTexts =>
  Object.fromEntries(
    (['tokenType', 'reason', 'actor'] as const)
      .filter(name => typeof data[name] === 'string')
      .map(name => [name, data[name]]),
  )

const invalid = (message: string) => new RescindError('ERR_EVENT_INVALID', message)
