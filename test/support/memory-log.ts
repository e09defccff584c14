/**
 * An event log in memory that can suffer what storage suffers: lose its tail, be trimmed, refuse appends. It passes the
 * conformance suite.
 *
 * @module
 */
import { EventEmitter, once } from 'node:events'
import { chainedDigest } from '../../event-log/digest.ts'
import {
  beforeFirst,
  checkAppendSize,
  type EventLog,
  type LogEntry,
  type LogPosition,
} from '../../event-log/event-log.ts'
import type { Confirmation } from '../../revocation/digest-history.ts'
import { RescindError } from '../../revocation/error.ts'
import { createLogUnderTest, type LogUnderTest } from '../conformance/log-under-test.ts'

/** What is stored; it outlives the logs that are opened on it. */
export interface MemoryLogStore {
  /** Changes when it is wiped. */
  readonly epoch: string
  readonly entries: readonly LogEntry[]
  open(): EventLog
  /** Loses everything, as FLUSHALL does: what is appended then belongs to another log. */
  wipe(): void
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

const startOf = (entries: readonly LogEntry[]): number => entries[0]?.position ?? 0

/** Creates an empty store. */
export const createMemoryLogStore = (options: MemoryLogOptions = {}): MemoryLogStore => {
  const { pageEntries = 100 } = options
  let { epoch = `memory-${++epochs}` } = options
  const entries: LogEntry[] = []
  const changed = new EventEmitter().setMaxListeners(0)
  let end: LogPosition = beforeFirst
  let failure: Error | undefined

  /** Positions have no gaps here. */
  const indexOf = (position: number) => position - startOf(entries)
  const store = (event: Uint8Array): number => {
    end = { position: Math.max(1, end.position + 1), digest: chainedDigest(end.digest, event) }
    entries.push({ ...end, event: Uint8Array.from(event) })
    return end.position
  }
  const open = (): EventLog => {
    const closed = new AbortController()
    const appendAll = async (events: readonly Uint8Array[]) => {
      checkAppendSize(events)
      if (closed.signal.aborted) throw new RescindError('ERR_LOG_FOLDER', 'the log is closed')
      if (failure !== undefined) throw failure
      const positions = events.map(store)
      changed.emit('changed')
      return positions
    }
    return {
      appendAll,
      append: async event => (await appendAll([event]))[0] as number,
      read: (after, signal) => read(after, AbortSignal.any([signal, closed.signal])),
      check: async known => ({ epoch, start: startOf(entries), end: end.position, known: compare(known) }),
      confirm: async known => {
        if (failure !== undefined) throw failure
        if (compare(known) !== 'confirmed') throw new RescindError('ERR_LOG_ROLLED_BACK', 'another log')
      },
      trim: async (before, known) => {
        if (compare(known) !== 'confirmed') throw new RescindError('ERR_LOG_ROLLED_BACK', 'another log')
        trim(before)
      },
      keptSeconds: Number.POSITIVE_INFINITY,
      close: async () => closed.abort(),
    }
  }
  const compare = ({ position, digest }: LogPosition): Confirmation => {
    if (position === beforeFirst.position) return 'confirmed'
    if (position > end.position) return 'ahead'
    if (position < startOf(entries)) return 'trimmed'
    return entries[indexOf(position)]?.digest === digest ? 'confirmed' : 'different'
  }
  const read = async function* (after: LogPosition, stop: AbortSignal): AsyncGenerator<readonly LogEntry[]> {
    let last = after
    while (!stop.aborted) {
      const from = Math.max(0, indexOf(last.position + 1))
      if (from >= entries.length) {
        await once(changed, 'changed', { signal: stop }).catch(() => undefined)
        continue
      }
      if (compare(last) !== 'confirmed')
        throw new RescindError('ERR_LOG_ROLLED_BACK', 'the log is another one')
      const page = entries.slice(from, from + pageEntries)
      last = page.at(-1) as LogEntry
      yield page
    }
  }
  const trim = (before: number) => {
    entries.splice(0, Math.min(Math.max(0, indexOf(before)), Math.max(0, entries.length - 1)))
  }

  return {
    get epoch() {
      return epoch
    },
    entries,
    open,
    wipe: () => {
      epoch = `memory-${++epochs}`
      entries.length = 0
      end = beforeFirst
    },
    rollBack: position => {
      entries.length = Math.min(Math.max(0, indexOf(position + 1)), entries.length)
      const last = entries.at(-1)
      end = last === undefined ? beforeFirst : { position: last.position, digest: last.digest }
    },
    trim,
    failAppends: error => {
      failure = error
    },
  }
}

/** For the conformance suite. */
export const createMemoryLogUnderTest = async (): Promise<LogUnderTest> => {
  const store = createMemoryLogStore()
  return createLogUnderTest(async () => store.open())
}
