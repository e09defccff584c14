/**
 * The log's epoch, which stands in beats: that of the first beat that repeats one, else of the first that founds one. So
 * it stays the same after retention has removed the founding beat.
 *
 * @module
 */
import type { Confirmation } from '../../revocation/digest-history.ts'
import { RescindError } from '../../revocation/error.ts'
import { type EventCodec, eventTypes } from '../../revocation/formats/rescind.ts'
import type { Beat } from '../../revocation/revocation.ts'
import { childSignal } from '../../runtime/abort-signal.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { LogEntry, LogPosition } from '../event-log.ts'
import type { PartitionReader } from './partition-reader.ts'
import type { Watermarks } from './topic.ts'

/** An epoch and a position that was part of the log when it was read. */
export interface FoundEpoch {
  readonly epoch: string
  readonly anchor: LogPosition
}

/** Reads the epoch of the log that ends at `through`. The reader begins at the log's start and is used up. */
export async function findEpoch(
  reader: PartitionReader,
  through: number,
  codec: EventCodec,
): Promise<FoundEpoch | undefined> {
  let founding: FoundEpoch | undefined
  for await (const page of reader.pages()) {
    for (const entry of page) {
      const beat = beatOf(entry, codec)
      if (beat === undefined) continue
      const { position, digest } = entry
      const found = { epoch: beat.epoch, anchor: { position, digest } }
      if (!beat.founding) return found
      founding ??= found
    }
    if (reader.passed >= through) break
  }
  return founding
}

/** What a search works with. */
export interface EpochSearch {
  /** Opens a reader at the log's start. */
  readonly open: (signal: AbortSignal) => PartitionReader
  readonly codec: EventCodec
  /** The log is closed. */
  readonly closed: AbortSignal
  readonly clock: Clock
}

/** A search that does not get on for so long waits for entries that the log has lost meanwhile. */
const standstillMs = 10_000

/**
 * Reads the epoch as {@link findEpoch} does, as long as it gets on.
 *
 * @throws RescindError ERR_LOG_UNREACHABLE when it was cut short, which has proved nothing.
 */
export async function searchEpoch(
  { open, codec, closed, clock }: EpochSearch,
  through: number,
): Promise<FoundEpoch | undefined> {
  const stop = childSignal(closed)
  const reader = open(stop.signal)
  let passed = Number.NaN
  const stopWatching = clock.every(standstillMs, () => {
    if (reader.passed === passed) stop.abort()
    passed = reader.passed
  })
  const found = await findEpoch(reader, through, codec).finally(stopWatching)
  if (found === undefined && stop.signal.aborted) {
    throw new RescindError('ERR_LOG_UNREACHABLE', 'the epoch was not found before the search was cut short')
  }
  return found
}

/** How the keeper looks at the log. */
export interface EpochKeeperOptions {
  readonly find: (marks: Watermarks) => Promise<FoundEpoch | undefined>
  readonly compare: (marks: Watermarks, known: LogPosition) => Promise<Confirmation>
}

/** Keeps the epoch as long as the log is the one in which it was found. */
export interface EpochKeeper {
  /** The epoch of the log with these watermarks; found again if the last confirmed position is not part of it. */
  read(marks: Watermarks): Promise<string | undefined>
  /** Tells a position that was just compared, so that the next comparison is with a recent one. */
  confirmed(position: LogPosition): void
}

/** Creates a keeper that knows nothing yet. */
export function createEpochKeeper({ find, compare }: EpochKeeperOptions): EpochKeeper {
  let current: FoundEpoch | undefined
  let finding: Promise<FoundEpoch | undefined> | undefined

  const findOnce = (marks: Watermarks) => {
    finding ??= find(marks).finally(() => {
      finding = undefined
    })
    return finding
  }

  return {
    read: async marks => {
      const before = current
      if (before !== undefined && (await compare(marks, before.anchor)) === 'confirmed') return before.epoch
      current = await findOnce(marks)
      return current?.epoch
    },
    confirmed: anchor => {
      if (current !== undefined) current = { ...current, anchor }
    },
  }
}

/** Only what could be a beat is decoded: before the first one there may be much else. */
function beatOf({ event }: LogEntry, codec: EventCodec): Beat | undefined {
  if (!Buffer.from(event.buffer, event.byteOffset, event.byteLength).includes(eventTypes.beat))
    return undefined
  try {
    const decoded = codec.decode(event)
    return decoded.kind === 'beat' ? decoded : undefined
  } catch {
    // A dead letter; whoever reads the log says so.
    return undefined
  }
}
