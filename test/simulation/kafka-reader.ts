/**
 * The simulated counterpart of the Kafka driver's reader; whether what it fetches follows, the driver's own code decides.
 *
 * @module
 */
import type { LogEntry, LogPosition } from '../../event-log/event-log.ts'
import { createContinuity, type Fetched } from '../../event-log/kafka/continuity.ts'
import type { PartitionReader } from '../../event-log/kafka/partition-reader.ts'
import type { KafkaRecord } from '../../event-log/kafka/record.ts'
import type { Watermarks } from '../../event-log/kafka/topic.ts'
import type { LogLink } from './log-link.ts'
import type { LogServer } from './log-server.ts'
import type { Process } from './world.ts'

/** What a reader needs. */
export interface SimulatedReaderOptions {
  readonly link: LogLink
  readonly process: Process
  readonly pageEntries: number
  /** Whether a reader that lost its connection joins its group again by itself. */
  readonly joinsAgain: () => boolean
}

const joinMs = 200

/** Reads as a consumer group of one does: it begins at the start of the topic unless it is told where. */
export function createSimulatedReader(
  { link, process, pageEntries, joinsAgain }: SimulatedReaderOptions,
  after: LogPosition,
  signal: AbortSignal,
): PartitionReader {
  const continuity = createContinuity(after)
  let connections = -1
  const fetch = async (from: number): Promise<Fetched> => {
    const fetched = await link.ask(server => fetchFrom(server, from, pageEntries))
    if (connections !== -1 && connections !== link.connections) continuity.doubt()
    connections = link.connections
    return fetched
  }
  let next = 0
  const join = () => {
    next = continuity.resumeAt() ?? 0
  }
  /** What a fetch brought, if it counts. */
  const take = (fetched: Fetched): readonly LogEntry[] | undefined => {
    const entries = fetched.records.length > 0 ? continuity.accept(fetched) : []
    if (fetched.records.length === 0) continuity.pass(fetched.through)
    next = entries === undefined ? continuity.last.position : continuity.passed + 1
    return entries
  }
  const fetchOrJoinAgain = async (): Promise<Fetched | undefined> => {
    try {
      return await fetch(next)
    } catch (error) {
      if (!joinsAgain()) throw error
      await process.clock.sleep(joinMs, signal)
      join()
      return undefined
    }
  }
  const pages = async function* () {
    join()
    while (!signal.aborted) {
      const fetched = await fetchOrJoinAgain()
      if (fetched === undefined) continue
      const isEmpty = fetched.through < fetched.from
      const entries = isEmpty ? undefined : take(fetched)
      if (entries !== undefined) yield entries
      if (isEmpty) await link.news(signal)
    }
  }
  return {
    get last() {
      return continuity.last
    },
    get passed() {
      return continuity.passed
    },
    pages,
  }
}

/** Where a topic begins and ends. */
export const marksOf = ({ entries, high }: LogServer): Watermarks => ({
  low: entries[0]?.position ?? high,
  high,
})

/** One fetch; from an offset that is not there it begins at the topic's start, as the client library does. */
function fetchFrom(server: LogServer, asked: number, limit: number): Fetched {
  const { low, high } = marksOf(server)
  const from = asked < low || asked > high ? low : asked
  const page = server.after(from - 1, limit)
  const records = page.map(({ record }) => record as KafkaRecord)
  const isLast = page.length < limit
  return { from, through: isLast ? high - 1 : (page.at(-1)?.position ?? from), records }
}
