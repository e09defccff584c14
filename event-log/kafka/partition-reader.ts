/**
 * Reads the topic's partition after a position, in pages, without gaps: see continuity.ts.
 *
 * @module
 */
import type { LogEntry, LogPosition } from '../event-log.ts'
import type { KafkaConnectionOptions } from './client.ts'
import { createContinuity } from './continuity.ts'
import { createHandOver } from './hand-over.ts'
import { startPartitionConsumer } from './partition-consumer.ts'

/** What to read. */
export interface ReaderOptions {
  readonly connection: KafkaConnectionOptions
  readonly topic: string
  readonly after: LogPosition
  readonly signal: AbortSignal
}

/** Reads until its signal aborts or nobody takes its pages any more. */
export interface PartitionReader {
  /** The last entry that was fetched. */
  readonly last: LogPosition
  /** Everything up to here was fetched; behind the last entry there may be control records. */
  readonly passed: number
  /**
   * Pages, once. An empty one says that `passed` has grown.
   *
   * @throws RescindError ERR_LOG_ROLLED_BACK; errors of kafkajs when it cannot go on.
   */
  pages(): AsyncGenerator<readonly LogEntry[]>
}

const pageEntries = 1_000

/** Several batches of the largest size, so that the last position and what follows it come together. */
const fetchBytes = 4 * 1024 * 1024

/** Creates a reader; it begins when its pages are taken. */
export function createPartitionReader(options: ReaderOptions): PartitionReader {
  const continuity = createContinuity(options.after)

  return {
    get last() {
      return continuity.last
    },
    get passed() {
      return continuity.passed
    },
    pages: async function* () {
      const handOver = createHandOver<readonly LogEntry[]>()
      const orFail = (action: () => void) => {
        try {
          action()
        } catch (error) {
          handOver.end(error)
          void consumer.close()
        }
      }
      const consumer = startPartitionConsumer({
        ...options,
        fetchBytes,
        onJoined: () => {
          const offset = continuity.resumeAt()
          if (offset !== undefined) consumer.seek(offset)
        },
        onInterrupted: continuity.doubt,
        onFetched: async fetched => {
          let entries: readonly LogEntry[] | undefined
          orFail(() => {
            entries = continuity.accept(fetched)
            if (entries === undefined) consumer.seek(continuity.last.position)
          })
          for (const page of pagesOf(entries ?? [])) await handOver.put(page)
        },
        onControlRecords: through => {
          orFail(() => continuity.pass(through))
          if (handOver.isEmpty) void handOver.put([])
        },
        onFailed: handOver.end,
      })
      const end = () => handOver.end()
      options.signal.addEventListener('abort', end)
      if (options.signal.aborted) end()
      try {
        for (let page = await handOver.take(); page !== undefined; page = await handOver.take()) yield page
      } finally {
        options.signal.removeEventListener('abort', end)
        end()
        await consumer.close()
      }
    },
  }
}

function* pagesOf(entries: readonly LogEntry[]): Generator<readonly LogEntry[]> {
  for (let first = 0; first < entries.length; first += pageEntries)
    yield entries.slice(first, first + pageEntries)
}
