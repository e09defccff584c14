/**
 * Keeps the log as short as what is live: the events of its oldest quarter that are still needed are appended again,
 * with their ids, so that nothing changes; then the quarter is forgotten. Crashing in between only repeats events.
 *
 * @module
 */
import { beforeFirst, type EventLog, type LogEntry } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'
import { type EventCodec, UnknownEventType } from '../revocation/formats/rescind.ts'
import type { LogEvent } from '../revocation/revocation.ts'
import { stillNeeded } from '../revocation/still-needed.ts'
import { unlessAborted } from '../runtime/abort-signal.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'

/** Which log, and what is known of it. */
export interface LogTrimmingOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  /** Clock difference and tolerance for which expired revocations are kept, seconds. */
  readonly graceSeconds: number
  readonly logger: Logger
  /** How often the length is looked at, milliseconds; default a minute. */
  readonly everyMs?: number
  /** Entries beyond twice what is live that a log may have; default 10,000. */
  readonly slackEntries?: number
  /** 0 to 1; default Math.random. */
  readonly random?: () => number
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** Something that trims until it is closed. */
export interface LogTrimming {
  close(): Promise<void>
}

const defaultSlackEntries = 10_000

const defaultEveryMs = 60_000
const appendBytes = 256 * 1024
/** The first copies; then those of what others appended meanwhile; then nothing should be left. */
const passesLimit = 4

/** Starts trimming a log that does not forget by itself. */
export function trimLog(options: LogTrimmingOptions): LogTrimming {
  const { log, logger, everyMs = defaultEveryMs, random = Math.random, clock = systemClock } = options
  if (log.trim === undefined) return { close: async () => undefined }
  const stop = new AbortController()
  let trimming: Promise<void> | undefined
  const stopLooking = clock.every(
    // Several revokers on one log: not at the same moment.
    everyMs * (0.75 + random() / 2),
    () => {
      trimming ??= trimIfLong(options, stop.signal)
        .catch(error => logger.error({ err: error }, 'the event log cannot be trimmed; trying again'))
        .finally(() => {
          trimming = undefined
        })
    },
  )
  return {
    close: async () => {
      stopLooking()
      stop.abort()
      await trimming
    },
  }
}

/**
 * Trims the oldest quarter of a log that is longer than twice what is live, and 10,000. What it needs of the quarter it
 * appends again and reads back, until nothing in it is needed any more; only then, and if the log still holds what was
 * read back, the quarter goes.
 */
export async function trimIfLong(options: LogTrimmingOptions, signal: AbortSignal): Promise<void> {
  const { log, follower, logger, slackEntries = defaultSlackEntries } = options
  const { state, restarts } = follower
  const { start, end } = await log.check(beforeFirst)
  const length = end - start + 1
  const quarterEnd = start + Math.floor(length / 4)
  if (!follower.complete || state.position < quarterEnd) return
  if (length <= 2 * state.revocations + slackEntries) return
  for (let pass = 1; pass <= passesLimit && !signal.aborted; pass++) {
    const { before, appended, last } = await appendNeeded(options, quarterEnd, signal)
    if (appended === 0) {
      if (before === start || follower.restarts !== restarts) return
      await log.trim?.(before, { position: state.position, digest: state.digest })
      logger.info({ before }, 'the event log was trimmed')
      return
    }
    await unlessAborted(follower.reached(last), signal)
    if (follower.restarts !== restarts) return
  }
}

/** What a pass over the beginning of the log has done. */
interface Pass {
  /** Nothing before this position is needed, apart from what was appended again. */
  readonly before: number
  readonly appended: number
  /** Where the last copy is. */
  readonly last: number
}

/** Appends again what is needed of the entries before a position. */
async function appendNeeded(options: LogTrimmingOptions, end: number, signal: AbortSignal): Promise<Pass> {
  const { log } = options
  let before = end
  let appended = 0
  let last = -1
  for await (const page of log.read(beforeFirst, signal)) {
    const copies = page
      .filter(({ position }) => position < before)
      .map(entry => ({ position: entry.position, copy: copyOf(options, entry) }))
    // What a later version wrote is not ours to forget, nor to copy.
    before = copies.find(({ copy }) => copy === 'unknown')?.position ?? before
    const needed = copies.flatMap(({ position, copy }) =>
      copy instanceof Uint8Array && position < before ? [copy] : [],
    )
    for (const events of groupsOf(needed)) last = (await log.appendAll(events)).at(-1) ?? last
    appended += needed.length
    if ((page.at(-1)?.position ?? 0) >= before) break
  }
  return { before, appended, last }
}

/** What is to be appended again of an entry, if anything is. */
function copyOf(
  { follower, codec, graceSeconds, clock = systemClock }: LogTrimmingOptions,
  { position, event }: LogEntry,
): Uint8Array | 'unknown' | undefined {
  const decoded = decodedBy(codec, event)
  if (decoded === undefined || decoded === 'unknown') return decoded
  // What was not read yet may need what this entry says for longer.
  const knownAtMs = Math.min(clock.wallMs(), follower.confirmedWallMs)
  const needed = stillNeeded(follower.state, position, decoded, knownAtMs / 1000 - graceSeconds)
  return needed === decoded ? event : needed && codec.encode(needed)
}

function decodedBy(codec: EventCodec, event: Uint8Array): LogEvent | 'unknown' | undefined {
  try {
    return codec.decode(event)
  } catch (error) {
    if (error instanceof UnknownEventType) return 'unknown'
    if (error instanceof RescindError) return undefined
    throw error
  }
}

function* groupsOf(events: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let group: Uint8Array[] = []
  let bytes = 0
  for (const event of events) {
    if (bytes + event.length > appendBytes && group.length > 0) {
      yield group
      group = []
      bytes = 0
    }
    group.push(event)
    bytes += event.length
  }
  if (group.length > 0) yield group
}
