/**
 * What an entry of the stream is: one of ours, or somebody else's.
 *
 * @module
 */
import type { LogEntry } from '../event-log.ts'

/** An entry that our script made; `previous` is the digest before it. */
export interface OwnItem {
  readonly kind: 'own'
  readonly id: string
  readonly previous: bigint
  readonly entry: LogEntry
}

/**
 * An entry that somebody else added. After a `beyond` one, whose id is greater than any position can be, nothing can
 * be appended; any other is passed over.
 */
export interface ForeignItem {
  readonly kind: 'foreign' | 'beyond'
  readonly id: string
  readonly problem: string
}

/** An entry of the stream. */
export type StreamItem = OwnItem | ForeignItem

/** An entry as the client library gives it: id, and field names and values in turn. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]]

const digestPattern = /^[0-9a-f]{16}$/

/** The id of the entry at a position; before the first one `0-0`, which no entry has. */
export const idOf = (position: number): string => `${Math.max(position, 0)}-0`

/** Tells what an entry is. */
export function readItem([rawId, fields]: RawEntry): StreamItem {
  const id = rawId.toString('latin1')
  const [milliseconds, sequence] = id.split('-')
  const position = Number(milliseconds)
  if (position > Number.MAX_SAFE_INTEGER) {
    return { kind: 'beyond', id, problem: 'its id is beyond 2^53-1: nothing can be appended after it' }
  }
  if (sequence !== '0') return { kind: 'foreign', id, problem: 'its id has a sequence number' }
  const own = readFields(fields)
  if (own === undefined) return { kind: 'foreign', id, problem: 'it has not the fields of an event' }
  return { kind: 'own', id, previous: own.previous, entry: { position, ...own.rest } }
}

function readFields(fields: readonly Buffer[]) {
  const [p, previous, d, digest, e, event] = fields
  if (event === undefined || fields.length !== 6 || !isName(p, 'p') || !isName(d, 'd') || !isName(e, 'e')) {
    return undefined
  }
  const [before, own] = [readDigest(previous), readDigest(digest)]
  return before === undefined || own === undefined
    ? undefined
    : { previous: before, rest: { digest: own, event } }
}

const isName = (field: Buffer | undefined, letter: string): boolean =>
  field?.length === 1 && field[0] === letter.charCodeAt(0)

function readDigest(field: Buffer | undefined): bigint | undefined {
  const hex = field?.toString('latin1') ?? ''
  return digestPattern.test(hex) ? BigInt(`0x${hex}`) : undefined
}
