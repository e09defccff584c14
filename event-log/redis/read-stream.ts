/**
 * Reads the stream on a connection of its own, entry after entry by their chained digests.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Logger } from '../../runtime/logger.ts'
import { beforeFirst, type EventLog, type LogEntry, type LogPosition } from '../event-log.ts'
import type { RedisLink } from './link.ts'
import { readFailure, rolledBack, unreachable } from './refusal.ts'
import { readServerInfo } from './server-info.ts'
import {
  type ForeignItem,
  idOf,
  type OwnItem,
  type RawEntry,
  readItem,
  type StreamItem,
} from './stream-item.ts'

/** What reading needs. */
export interface ReadOptions {
  /** The key of the stream. */
  readonly key: string
  readonly logger: Logger
  readonly check: EventLog['check']
  /** The connection that checks. */
  readonly link: RedisLink
  connect(stop: AbortSignal): Promise<Redis>
  /** Called with each entry that is not ours; again when it is read again. */
  onForeign(item: ForeignItem): void
}

const pageEntries = 1_000
/** How long Redis waits for an entry, so that a connection that is dead shows itself. */
const blockMs = 1_000
/** Between two looks at an entry that nothing can come after. */
const beyondPauseMs = 1_000

/** Where a reader is. */
interface Place {
  /** The last entry that was read. */
  last: LogPosition
  /** The stream is read on after this id: that of `last`, or of a foreign entry after it. */
  cursor: string
  /** Id of an entry that did not follow `last`, although `last` is part of the log: it is read a second time. */
  doubted: string | undefined
}

/** What a page of the stream gave, and the item that ended it early. */
interface Taken {
  readonly entries: readonly LogEntry[]
  readonly stoppedBy: StreamItem | undefined
}

/**
 * Reads on after a position until `stop` aborts.
 *
 * @throws RescindError ERR_LOG_ROLLED_BACK if the log does not hold `after` (any more); ERR_LOG_UNREACHABLE when the
 *   connection is lost, ERR_LOG_SETUP when Redis refuses: then read again after the last entry.
 */
export async function* readStream(
  options: ReadOptions,
  after: LogPosition,
  stop: AbortSignal,
): AsyncGenerator<readonly LogEntry[]> {
  let client: Redis | undefined
  try {
    client = await options.connect(stop)
    await readBeside(options.link.client(), client)
    await confirm(options, after)
    yield* readPages(options, client, after, stop)
  } catch (error) {
    if (!stop.aborted) throw client === undefined ? error : readFailure(client, error)
  } finally {
    if (client?.status !== 'end') client?.disconnect()
  }
}

/**
 * What is read and what is checked must be of one server, or the answers of one that was left would count against what
 * another one holds: reading ends with the connection that checks, and that one ends when reading came elsewhere.
 */
async function readBeside(checking: Redis, client: Redis): Promise<void> {
  const end = () => client.disconnect()
  checking.once('end', end)
  client.once('end', () => checking.off('end', end))
  const [mine, other] = await Promise.all([readServerInfo(client), readServerInfo(checking)])
  if (mine.runId === other.runId) return
  checking.disconnect()
  throw unreachable('another server has taken its place')
}

async function* readPages(
  options: ReadOptions,
  client: Redis,
  after: LogPosition,
  stop: AbortSignal,
): AsyncGenerator<readonly LogEntry[]> {
  const place: Place = { last: after, cursor: idOf(after.position), doubted: undefined }
  let page = fetchPage(client, options.key, place)
  while (!stop.aborted) {
    const { entries, stoppedBy } = takePage(options, place, await page)
    // Redis gathers the next page while this one is used.
    if (stoppedBy === undefined) page = fetchPage(client, options.key, place)
    if (entries.length > 0) yield entries
    if (stoppedBy === undefined) continue
    if (stoppedBy.kind === 'own') await doubt(options, place, stoppedBy)
    else await pause(beyondPauseMs, undefined, { signal: stop })
    page = fetchPage(client, options.key, place)
  }
}

function fetchPage(client: Redis, key: string, { cursor }: Place): Promise<readonly RawEntry[]> {
  const args = ['COUNT', pageEntries, 'BLOCK', blockMs, 'STREAMS', key, cursor]
  const reply = client.callBuffer('XREAD', ...args) as Promise<[[Buffer, RawEntry[]]] | null>
  const page = reply.then(streams => streams?.[0][1] ?? [])
  // Who awaits it is told; nobody does when reading has ended before.
  page.catch(() => undefined)
  return page
}

/** Takes what follows the place, which moves on. */
function takePage({ onForeign, logger }: ReadOptions, place: Place, page: readonly RawEntry[]): Taken {
  const entries: LogEntry[] = []
  for (const raw of page) {
    const item = readItem(raw)
    if (item.kind !== 'own') {
      onForeign(item)
      if (item.kind === 'beyond') return { entries, stoppedBy: item }
    } else {
      if (!follows(place, item)) {
        if (item.id !== place.doubted) return { entries, stoppedBy: item }
        logger.warn(
          { position: item.entry.position },
          'the event log has a seam: its digests begin anew here',
        )
      }
      entries.push(item.entry)
      place.last = item.entry
      place.doubted = undefined
    }
    place.cursor = item.id
  }
  return { entries, stoppedBy: undefined }
}

const follows = ({ last }: Place, { previous }: OwnItem): boolean =>
  last.position === beforeFirst.position || previous === last.digest

/**
 * An entry does not follow the last one. If the log still holds that, everything after it is read once more, because
 * an entry may now be where a foreign one was passed over; what then still does not follow begins anew.
 */
async function doubt(options: ReadOptions, place: Place, item: OwnItem): Promise<void> {
  await confirm(options, place.last)
  place.cursor = idOf(place.last.position)
  place.doubted = item.id
}

async function confirm({ check, key }: ReadOptions, known: LogPosition): Promise<void> {
  const { known: found } = await check(known)
  if (found !== 'confirmed') throw rolledBack(key, known)
}
