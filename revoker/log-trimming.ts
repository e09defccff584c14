/**
 * Keeps the log as short as what is live: the events of its oldest quarter that are still needed are appended again,
 * with their ids, so that nothing changes; then the quarter is forgotten. Crashing in between only repeats events.
 *
 * @module
 */
import { once } from 'node:events'
import { beforeFirst, type EventLog, type LogEntry } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'
import { type EventCodec, UnknownEventType } from '../revocation/formats/rescind.ts'
import { isStillNeeded } from '../revocation/still-needed.ts'
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
}

/** Something that trims until it is closed. */
export interface LogTrimming {
  close(): Promise<void>
}

/** Entries beyond twice what is live that a log may have. */
const slackEntries = 10_000

const defaultEveryMs = 60_000
const appendBytes = 256 * 1024

/** Starts trimming a log that does not forget by itself. */
export function trimLog(options: LogTrimmingOptions): LogTrimming {
  const { log, logger, everyMs = defaultEveryMs } = options
  if (log.trim === undefined) return { close: async () => undefined }
  const stop = new AbortController()
  let trimming: Promise<void> | undefined
  const timer = setInterval(
    () => {
      trimming ??= trimIfLong(options, stop.signal)
        .catch(error => logger.error({ err: error }, 'the event log cannot be trimmed; trying again'))
        .finally(() => {
          trimming = undefined
        })
    },
    // Several revokers on one log: not at the same moment.
    everyMs * (0.75 + Math.random() / 2),
  )
  return {
    close: async () => {
      clearInterval(timer)
      stop.abort()
      await trimming
    },
  }
}

/** Trims the oldest quarter of a log that is longer than twice what is live, and 10,000. */
export async function trimIfLong(options: LogTrimmingOptions, signal: AbortSignal): Promise<void> {
  const { log, follower, logger } = options
  const { state, restarts } = follower
  const { start, end } = await log.check(beforeFirst)
  const length = end - start + 1
  const before = start + Math.floor(length / 4)
  if (!follower.complete || state.position < before) return
  if (length <= 2 * state.revocations + slackEntries) return
  const again = await appendNeeded(options, before, signal)
  // Read back, so that the log which forgets is the one that holds them.
  await Promise.race([follower.reached(again.position), aborted(signal)])
  if (signal.aborted || follower.restarts !== restarts) return
  await log.trim?.(before, { position: state.position, digest: state.digest })
  logger.info({ before, appendedAgain: again.count }, 'the event log was trimmed')
}

/** Appends again what is needed of the entries before a position; returns how many, and where the last one is. */
async function appendNeeded(options: LogTrimmingOptions, before: number, signal: AbortSignal) {
  const { log } = options
  let count = 0
  let position = -1
  for await (const page of log.read(beforeFirst, signal)) {
    const old = page.filter(entry => entry.position < before)
    const needed = old.filter(entry => isNeeded(options, entry)).map(({ event }) => event)
    for (const events of groupsOf(needed)) position = (await log.appendAll(events)).at(-1) ?? position
    count += needed.length
    if (old.length < page.length) break
  }
  return { count, position }
}

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : once(signal, 'abort')

function isNeeded({ follower, codec, graceSeconds }: LogTrimmingOptions, { event }: LogEntry): boolean {
  try {
    return isStillNeeded(follower.state, codec.decode(event), Date.now() / 1000 - graceSeconds)
  } catch (error) {
    // What a later version wrote is not ours to forget.
    if (error instanceof UnknownEventType) return true
    if (error instanceof RescindError) return false
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
