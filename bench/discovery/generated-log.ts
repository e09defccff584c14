/**
 * An event log of millions that keeps nothing: an entry is made when it is read, of its position alone. So an adapter's
 * memory and time are the adapter's, and not those of some storage.
 *
 * @module
 */
import { EventEmitter, once } from 'node:events'
import { beforeFirst, type EventLog, type LogEntry, type LogPosition } from '../../event-log/event-log.ts'
import type { Confirmation } from '../../revocation/digest-history.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import { revocationOf } from '../check/revocations.ts'

/** What the entries say. */
export interface GeneratedLogOptions {
  readonly issuer: string
  /** When all of them were revoked, seconds. */
  readonly revokedAt: number
  /** How many entries it has at first, each a revocation of a key of its own. */
  readonly entries: number
}

/** A log that can only be read, and what reads its entries. */
export interface GeneratedLog {
  readonly log: EventLog
  readonly codec: EventCodec
  /** Position of the last entry. */
  readonly end: number
  /** Appends so many further revocations. */
  grow(entries: number): void
}

/** The epoch of all of them. */
export const generatedEpoch = 'generated'

const pageEntries = 1_000
const eventBytes = 8
/** Odd, so that no two positions have the same digest. */
const digestFactor = 0x9e37_79b9_7f4a_7c15n

/** The digest at a position from 1 on. */
export const digestAt = (position: number): bigint => BigInt.asUintN(64, BigInt(position) * digestFactor)

/** Creates a log with the positions 1, 2, 3, ... */
export const createGeneratedLog = ({ issuer, revokedAt, entries }: GeneratedLogOptions): GeneratedLog => {
  const grown = new EventEmitter()
  let end = entries
  const refuse = async () => {
    throw new Error('a generated log cannot be written')
  }
  const compare = ({ position, digest }: LogPosition): Confirmation => {
    if (position === beforeFirst.position) return 'confirmed'
    if (position > end) return 'ahead'
    return digestAt(position) === digest ? 'confirmed' : 'different'
  }
  const read = async function* (
    after: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogEntry[]> {
    let last = Math.max(0, after.position)
    while (!signal.aborted) {
      if (last === end) await once(grown, 'grown', { signal }).catch(() => undefined)
      const page = pageAfter(last, Math.min(pageEntries, end - last))
      last += page.length
      if (page.length > 0) yield page
    }
  }
  return {
    log: {
      append: refuse,
      appendAll: refuse,
      read,
      check: async known => ({ epoch: generatedEpoch, start: 1, end, known: compare(known) }),
      confirm: async () => undefined,
      keptSeconds: Number.POSITIVE_INFINITY,
      close: async () => undefined,
    },
    codec: {
      id: '',
      encode: () => {
        throw new Error('a generated log has no other events')
      },
      decode: bytes => revocationOf(issuer, (bytes as Buffer).readDoubleLE(0), revokedAt),
    },
    get end() {
      return end
    },
    grow: count => {
      end += count
      grown.emit('grown')
    },
  }
}

/** An event is its position. */
const pageAfter = (position: number, count: number): readonly LogEntry[] => {
  const bytes = Buffer.allocUnsafe(count * eventBytes)
  return Array.from({ length: count }, (_, index) => {
    const at = position + 1 + index
    const event = bytes.subarray(index * eventBytes, (index + 1) * eventBytes)
    event.writeDoubleLE(at)
    return { position: at, digest: digestAt(at), event }
  })
}
