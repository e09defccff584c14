/**
 * An event log in memory that can suffer what storage suffers: lose its tail, be trimmed, refuse appends. It passes the
 * conformance suite.
 *
 * @module
 */
import { EventEmitter, once } from 'node:events'
import { chainedDigest } from '../../event-log/digest.ts'
import {
  appendBytesLimit,
  beforeFirst,
  type EventLog,
  type LogEntry,
  type LogPosition,
} from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'
import type { LogUnderTest } from '../conformance/event-log-suite.ts'

/** What is stored; it outlives the logs that are opened on it. */
export interface MemoryLogStore {
  readonly epoch: string
  readonly entries: readonly LogEntry[]
  open(): EventLog
  /** Loses what came after a position, as a fail-over does: positions after it are given again. */
  rollBack(position: number): void
  /** Forgets what came before a position, but not the last entry. */
  trim(before: number): void
  /** Lets every append fail with this error, without storing anything, until it is undefined again. */
  failAppends(error: Error | undefined): void
}

/** How a store differs from the default. */
export interface MemoryLogOptions {
  readonly epoch?: string
  /** Entries in a page; default 100. */
  readonly pageEntries?: number
}

let epochs = 0

/** Creates an empty store. */
export const createMemoryLogStore = (options: MemoryLogOptions = {}): MemoryLogStore => {
  const { epoch = `memory-${++epochs}`, pageEntries = 100 } = options
  const entries: LogEntry[] = []
  const changed = new EventEmitter().setMaxListeners(0)
  let end: LogPosition = beforeFirst
  let failure: Error | undefined

  const store = (event: Uint8Array): number => {
    end = { position: Math.max(1, end.position + 1), digest: chainedDigest(end.digest, event) }
    entries.push({ ...end, event: Uint8Array.from(event) })
    return end.position
  }
  const open = (): EventLog => {
    const closed = new AbortController()
    const appendAll = async (events: readonly Uint8Array[]) => {
      if (events.reduce((sum, event) => sum + event.length, 0) > appendBytesLimit) {
        throw new RescindError('ERR_EVENT_TOO_LARGE', `more than ${appendBytesLimit} bytes at once`)
      }
      if (closed.signal.aborted) throw new RescindError('ERR_LOG_FOLDER', 'the log is closed')
      if (failure !== undefined) throw failure
      const positions = events.map(store)
      changed.emit('changed')
      return positions
    }
    return {
      epoch,
      appendAll,
      append: async event => (await appendAll([event]))[0] as number,
      read: (after, signal) => read(after, AbortSignal.any([signal, closed.signal])),
      start: async () => entries[0]?.position ?? 1,
      end: async () => end,
      close: async () => closed.abort(),
    }
  }
  const read = async function* (after: number, stop: AbortSignal): AsyncGenerator<readonly LogEntry[]> {
    let position = after
    while (!stop.aborted) {
      const from = entries.findIndex(entry => entry.position > position)
      if (from < 0) {
        await once(changed, 'changed', { signal: stop }).catch(() => undefined)
        continue
      }
      const page = entries.slice(from, from + pageEntries)
      position = (page.at(-1) as LogEntry).position
      yield page
    }
  }

  return {
    epoch,
    entries,
    open,
    rollBack: position => {
      const lost = entries.findIndex(entry => entry.position > position)
      if (lost >= 0) entries.length = lost
      const last = entries.at(-1)
      end = last === undefined ? beforeFirst : { position: last.position, digest: last.digest }
    },
    trim: before => {
      const kept = entries.findIndex(entry => entry.position >= before)
      entries.splice(0, kept < 0 ? Math.max(0, entries.length - 1) : kept)
    },
    failAppends: error => {
      failure = error
    },
  }
}

/** For the conformance suite. */
export const createMemoryLogUnderTest = async (): Promise<LogUnderTest> => {
  const store = createMemoryLogStore()
  let log: EventLog | undefined
  const reopen = async () => {
    await log?.close()
    log = store.open()
    return log
  }
  return { open: reopen, reopen, destroy: async () => log?.close() }
}
