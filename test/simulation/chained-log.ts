/**
 * The simulated counterpart of the drivers whose digests are chained: embedded and Redis. What its servers do in one step
 * those do in one step too, and it looks as closely as they do.
 *
 * @module
 */
import {
  beforeFirst,
  checkAppendSize,
  type EventLog,
  type LogEntry,
  type LogPosition,
} from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import type { LogLink } from './log-link.ts'
import type { HeldEntry, LogServer } from './log-server.ts'

/** What a driver needs. */
export interface ChainedLogOptions {
  readonly link: LogLink
  /** The epoch of a log that begins with this process. */
  readonly newEpoch: () => string
  readonly pageEntries: number
}

/** Opens the log for one process. */
export function openChainedLog({ link, newEpoch, pageEntries }: ChainedLogOptions): EventLog {
  const closed = new AbortController()

  const append = (server: LogServer, events: readonly Uint8Array[]) => {
    server.epoch ??= newEpoch()
    return server.append(events)
  }
  const appendAll = async (events: readonly Uint8Array[]) => {
    checkAppendSize(events)
    return link.ask(server => append(server, events), 'write')
  }
  const check = (known: LogPosition) =>
    link.ask(server => {
      const end = server.end?.position ?? beforeFirst.position
      const start = server.entries[0]?.position ?? end + 1
      return { epoch: server.epoch, start, end, known: server.compare(known) }
    })
  const confirm = async (known: LogPosition) => {
    const isHeld = await link.ask(server => server.compare(known) === 'confirmed', 'write')
    if (!isHeld) throw rolledBack(known)
  }

  const readPages = async function* (after: LogPosition, stop: AbortSignal) {
    if ((await check(after)).known !== 'confirmed') throw rolledBack(after)
    // What is read and what is checked must be of one server: reading ends with the connection.
    const { connections } = link
    let last = after
    while (!stop.aborted) {
      const page = await link.ask(server => server.after(last.position, pageEntries))
      if (link.connections !== connections) throw new RescindError('ERR_LOG_UNREACHABLE', 'connected anew')
      last = endOfChain(last, page)
      if (page.length === 0) await link.news(stop)
      else yield page as readonly LogEntry[]
    }
  }

  return {
    append: async event => (await appendAll([event]))[0] as number,
    appendAll,
    read: (after, signal) => untilAborted(readPages, after, AbortSignal.any([signal, closed.signal])),
    check,
    confirm,
    trim: async (before, known) => {
      const isHeld = await link.ask(server => {
        if (server.compare(known) !== 'confirmed') return false
        server.trim(before)
        return true
      }, 'write')
      if (!isHeld) throw rolledBack(known)
    },
    keptSeconds: Number.POSITIVE_INFINITY,
    close: async () => closed.abort(),
  }
}

/** The last entry of a page, each of which must follow the one before it. */
function endOfChain(after: LogPosition, page: readonly HeldEntry[]): LogPosition {
  let last = after
  for (const entry of page) {
    if (last.position !== beforeFirst.position && entry.previous !== last.digest) throw rolledBack(last)
    last = entry
  }
  return last
}

/** Reads on; errors after an abort are nobody's. */
export async function* untilAborted(
  pages: (after: LogPosition, stop: AbortSignal) => AsyncIterable<readonly LogEntry[]>,
  after: LogPosition,
  stop: AbortSignal,
): AsyncGenerator<readonly LogEntry[]> {
  try {
    if (!stop.aborted) yield* pages(after, stop)
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

const rolledBack = ({ position }: LogPosition) =>
  new RescindError('ERR_LOG_ROLLED_BACK', `what the log holds does not follow position ${position}`)
