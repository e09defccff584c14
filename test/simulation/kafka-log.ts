/**
 * The simulated counterpart of the Kafka driver: a topic of which single questions can be asked. What decides, the epoch's
 * founding and finding and the continuity of what is read, is the driver's own.
 *
 * @module
 */
import { beforeFirst, checkAppendSize, type EventLog, type LogPosition } from '../../event-log/event-log.ts'
import { rolledBack } from '../../event-log/kafka/continuity.ts'
import { createEpochKeeper, type EpochSearch, searchEpoch } from '../../event-log/kafka/epoch.ts'
import { createFounder } from '../../event-log/kafka/founder.ts'
import type { PartitionReader } from '../../event-log/kafka/partition-reader.ts'
import { entryOf } from '../../event-log/kafka/record.ts'
import type { Watermarks } from '../../event-log/kafka/topic.ts'
import type { Confirmation } from '../../revocation/digest-history.ts'
import { RescindError } from '../../revocation/error.ts'
import { plainCodec } from '../support/revocations.ts'
import { untilAborted } from './chained-log.ts'
import { createSimulatedReader, marksOf, type SimulatedReaderOptions } from './kafka-reader.ts'

/** What a driver needs. */
export interface KafkaLogOptions extends SimulatedReaderOptions {
  readonly writes: boolean
  readonly beatMs: number
}

const keptSeconds = 1_000_000

/** Opens the log for one process. */
export function openKafkaLog(options: KafkaLogOptions): EventLog {
  const { link, process } = options
  const closed = new AbortController()
  const readers = new Set<PartitionReader>()
  const marksNow = (): Promise<Watermarks> => link.ask(marksOf)
  const readFrom = (after: LogPosition, signal: AbortSignal) => createSimulatedReader(options, after, signal)

  const compare = async ({ low, high }: Watermarks, known: LogPosition): Promise<Confirmation> => {
    if (known.position === beforeFirst.position) return 'confirmed'
    if (known.position >= high) return 'ahead'
    if (known.position < low) return 'trimmed'
    const record = await link.ask(
      server => server.entries.find(({ position }) => position === known.position)?.record,
    )
    return record !== undefined && entryOf(record).digest === known.digest ? 'confirmed' : 'different'
  }
  const search: EpochSearch = {
    open: signal => readFrom(beforeFirst, signal),
    codec: plainCodec,
    closed: closed.signal,
    clock: process.clock,
  }
  const epochs = createEpochKeeper({
    compare,
    find: async ({ low, high }) => (low >= high ? undefined : searchEpoch(search, high - 1)),
  })
  const write = async (events: readonly Uint8Array[]) =>
    (await link.ask(server => server.append(events), 'write'))[0] as number
  const founder = options.writes
    ? createFounder({
        writer: { write, close: async () => undefined },
        codec: plainCodec,
        logger: process.logger,
        readEpoch: async () => epochs.read(await marksNow()),
        beatMs: options.beatMs,
        clock: process.clock,
      })
    : undefined

  const appendAll = async (events: readonly Uint8Array[]) => {
    checkAppendSize(events)
    await founder?.adopted().catch(cause => {
      throw new RescindError('ERR_LOG_UNREACHABLE', 'the epoch could not be read or written', { cause })
    })
    const first = await write(events)
    return events.map((_, index) => first + index)
  }

  const readPages = async function* (after: LogPosition, stop: AbortSignal) {
    const reader = readFrom(after, stop)
    readers.add(reader)
    try {
      if (isOutside(after, await marksNow())) throw rolledBack(after)
      for await (const page of reader.pages()) if (page.length > 0) yield page
    } finally {
      readers.delete(reader)
    }
  }

  const endOf = ({ low, high }: Watermarks): number => {
    if (low >= high) return beforeFirst.position
    const atEnd = [...readers].find(({ passed, last }) => passed === high - 1 && last.position < high)
    return atEnd?.last.position ?? high - 1
  }

  return {
    append: async event => (await appendAll([event]))[0] as number,
    appendAll,
    read: (after, signal) => untilAborted(readPages, after, AbortSignal.any([signal, closed.signal])),
    check: async known => {
      const marks = await marksNow()
      const epoch = await epochs.read(marks)
      const confirmation = await compare(marks, known)
      if (confirmation === 'confirmed' && known.position !== beforeFirst.position) epochs.confirmed(known)
      founder?.seen(epoch)
      return { epoch, start: marks.low, end: endOf(marks), known: confirmation }
    },
    confirm: async known => {
      if ((await compare(await marksNow(), known)) !== 'confirmed') throw rolledBack(known)
    },
    keptSeconds,
    close: async () => {
      closed.abort()
      founder?.close()
    },
  }
}

const isOutside = ({ position }: LogPosition, { low, high }: Watermarks): boolean =>
  position !== beforeFirst.position && (position < low || position >= high)
