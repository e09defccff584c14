/**
 * One server's copy of a log: what it holds and what it can suffer. Digests are chained (embedded, Redis) or of single
 * records with gaps between their positions (Kafka).
 *
 * @module
 */
import { chainedDigest } from '../../event-log/digest.ts'
import { beforeFirst, type LogPosition } from '../../event-log/event-log.ts'
import { type KafkaRecord, recordDigest } from '../../event-log/kafka/record.ts'
import type { Confirmation } from '../../revocation/digest-history.ts'
import type { History, Stored } from './history.ts'

/** Which log it behaves like. */
export type LogKind = 'embedded' | 'redis' | 'kafka'

/** An entry that a server holds. */
export interface HeldEntry extends LogPosition {
  readonly event: Buffer
  readonly stored: Stored
  /** Digest of the entry before it, where digests are chained. */
  readonly previous: bigint
  /** How Kafka tells it. */
  readonly record: KafkaRecord | undefined
}

/** A server of a log. */
export interface LogServer {
  readonly kind: LogKind
  /** It answers. */
  isUp: boolean
  /** Where the epoch is stored beside the entries. */
  epoch: string | undefined
  readonly entries: readonly HeldEntry[]
  /** The last entry. */
  readonly end: Stored | undefined
  /** Kafka: the offset after the last one, control records included. */
  readonly high: number
  leaderEpoch: number
  /** Stores events; returns their positions. */
  append(events: readonly Uint8Array[]): readonly number[]
  /** Entries after a position, as many as a page holds. */
  after(position: number, limit: number): readonly HeldEntry[]
  compare(known: LogPosition): Confirmation
  /** Forgets what comes before a position, but never the last entry. */
  trim(before: number): void
  /** Loses its last entries. */
  loseTail(count: number): void
  /** Loses everything: what is appended then begins anew. */
  wipe(): void
  /** A server with the same entries. */
  copy(): LogServer
  /** It is no longer asked. */
  retire(): void
}

/** What servers are made of. */
export interface LogServerOptions {
  readonly kind: LogKind
  readonly history: History
  readonly nowMs: () => number
  /** Whether a control record follows an append. */
  readonly addsControlRecord: () => boolean
  readonly onAppended: () => void
}

/** Creates servers of one log; what one of them ends with is noted in the history. */
export function createLogServers(options: LogServerOptions): LogServer {
  const ends = new Map<Stored, number>()
  const count = (end: Stored | undefined, change: 1 | -1) => {
    if (end === undefined) return
    const servers = (ends.get(end) ?? 0) + change
    ends.set(end, servers)
    end.lastEndAtMs = servers > 0 ? Number.POSITIVE_INFINITY : options.nowMs()
  }
  return createLogServer(options, count, {
    entries: [],
    epoch: undefined,
    high: 0,
    leaderEpoch: 0,
    trims: [],
  })
}

type CountEnd = (end: Stored | undefined, change: 1 | -1) => void

interface Contents {
  readonly entries: readonly HeldEntry[]
  readonly epoch: string | undefined
  readonly high: number
  readonly leaderEpoch: number
  readonly trims: readonly Trim[]
}

/** What was trimmed, and where the log ended then: a server that lacks that end has not trimmed either. */
interface Trim {
  readonly removed: readonly HeldEntry[]
  readonly end: number
}

function createLogServer(options: LogServerOptions, countEnd: CountEnd, contents: Contents): LogServer {
  const { kind, history, nowMs } = options
  let { epoch, high, leaderEpoch, trims } = contents
  let entries = [...contents.entries]
  let end = entries.at(-1)?.stored
  let isUp = true
  countEnd(end, 1)

  const become = (next: readonly HeldEntry[]) => {
    countEnd(end, -1)
    entries = [...next]
    end = entries.at(-1)?.stored
    countEnd(end, 1)
  }

  const store = (event: Uint8Array): number => {
    const bytes = Buffer.from(event)
    const last = entries.at(-1)
    const position = kind === 'kafka' ? high : (last?.position ?? 0) + 1
    const previous = last?.digest ?? 0n
    const record = kind === 'kafka' ? recordOf(position, bytes) : undefined
    const digest = record === undefined ? chainedDigest(previous, bytes) : recordDigest(record)
    const stored = history.store(last?.stored, { position, digest }, bytes)
    high = position + 1
    become([...entries, { position, digest, previous, event: bytes, stored, record }])
    return position
  }

  const recordOf = (offset: number, value: Buffer): KafkaRecord => ({
    offset: String(offset),
    timestamp: String(Math.floor(nowMs() * 1_000)),
    key: null,
    value,
    headers: {},
    attributes: 0,
    batchContext: { partitionLeaderEpoch: leaderEpoch },
  })

  const server: LogServer = {
    kind,
    get isUp() {
      return isUp
    },
    set isUp(now) {
      isUp = now
    },
    get epoch() {
      return epoch
    },
    set epoch(now) {
      epoch = now
    },
    get leaderEpoch() {
      return leaderEpoch
    },
    set leaderEpoch(now) {
      leaderEpoch = now
    },
    get entries() {
      return entries
    },
    get end() {
      return end
    },
    get high() {
      return high
    },
    append: events => {
      const positions = events.map(store)
      if (kind === 'kafka' && options.addsControlRecord()) high += 1
      options.onAppended()
      return positions
    },
    after: (position, limit) => {
      const from = entries.findIndex(entry => entry.position > position)
      return from < 0 ? [] : entries.slice(from, from + limit)
    },
    compare: ({ position, digest }) => {
      if (position === beforeFirst.position) return 'confirmed'
      const entry = entries.find(one => one.position === position)
      if (entry?.digest === digest) return 'confirmed'
      if (position > (end?.position ?? beforeFirst.position)) return 'ahead'
      return position < (entries[0]?.position ?? 1) ? 'trimmed' : 'different'
    },
    trim: before => {
      const stays = (entry: HeldEntry) => entry.position >= before || entry === entries.at(-1)
      // Kafka's brokers trim each by itself.
      if (kind !== 'kafka')
        trims = [...trims, { removed: entries.filter(entry => !stays(entry)), end: end?.position ?? -1 }]
      entries = entries.filter(stays)
    },
    loseTail: lost => {
      const rest = entries.slice(0, Math.max(0, entries.length - lost))
      const hasSeen = (trim: Trim) => trim.end <= (rest.at(-1)?.position ?? -1)
      become([...trims.filter(trim => !hasSeen(trim)).flatMap(({ removed }) => removed), ...rest])
      trims = trims.filter(hasSeen)
      high = (end?.position ?? -1) + 1
    },
    wipe: () => {
      become([])
      epoch = undefined
      high = 0
      leaderEpoch = 0
      trims = []
    },
    copy: () => createLogServer(options, countEnd, { entries, epoch, high, leaderEpoch, trims }),
    retire: () => {
      isUp = false
      countEnd(end, -1)
      end = undefined
    },
  }
  return server
}
