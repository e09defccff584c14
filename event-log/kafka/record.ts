/**
 * A record of the topic as an entry of the log.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { KafkaMessage } from 'kafkajs'
import type { LogEntry } from '../event-log.ts'

/** A record as kafkajs gives it. `batchContext` is there though its types do not say so. */
export type KafkaRecord = KafkaMessage & { readonly batchContext?: { readonly partitionLeaderEpoch: number } }

const noBytes = Buffer.alloc(0)
const nullLength = 0xffff_ffff

/** The entry of a record: its offset, its digest, its value. A record without a value is an entry without bytes. */
export const entryOf = (record: KafkaRecord): LogEntry => ({
  position: Number(record.offset),
  digest: recordDigest(record),
  event: record.value ?? noBytes,
})

/**
 * The first 64 bits of SHA-1 over timestamp, key, value and headers (name, value, in order, as far as kafkajs tells it:
 * values of one name stand together). Each has its length in front, 4 bytes; null has the length 2^32-1.
 */
export function recordDigest({ timestamp, key, value, headers }: KafkaRecord): bigint {
  const hash = createHash('sha1')
  const add = (part: Buffer | string | null | undefined) => {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(bytes?.length ?? nullLength)
    hash.update(length)
    if (bytes != null) hash.update(bytes)
  }
  add(timestamp)
  add(key)
  add(value)
  for (const [name, values] of Object.entries(headers ?? {})) {
    for (const one of Array.isArray(values) ? values : [values]) {
      add(name)
      add(one)
    }
  }
  return hash.digest().readBigUInt64BE(0)
}

/** The leader's epoch under which a record was written. */
export const leaderEpochOf = (record: KafkaRecord | undefined): number | undefined =>
  record?.batchContext?.partitionLeaderEpoch
