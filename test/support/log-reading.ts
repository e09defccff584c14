/**
 * Reading an event log in tests. Beats, by which some logs keep their epoch, are left out.
 *
 * @module
 */
import { beforeFirst, type EventLog, type LogEntry, type LogPosition } from '../../event-log/event-log.ts'

const isBeat = ({ event }: LogEntry): boolean => Buffer.from(event).includes('"io.rescind.beat.v1"')
const withoutBeats = (page: readonly LogEntry[]) => page.filter(entry => !isBeat(entry))

/** Reads what is there now after a position. */
export const readNow = async (log: EventLog, after: LogPosition = beforeFirst): Promise<LogEntry[]> => {
  const { end } = await log.check(beforeFirst)
  const entries: LogEntry[] = []
  if (after.position >= end) return entries
  const stop = new AbortController()
  for await (const page of log.read(after, stop.signal)) {
    entries.push(...withoutBeats(page))
    if ((page.at(-1)?.position ?? -1) >= end) break
  }
  stop.abort()
  return entries
}

/** A reader that goes on until it is stopped. */
export const startReading = (log: EventLog, after: LogPosition = beforeFirst) => {
  const stop = new AbortController()
  const entries: LogEntry[] = []
  const reading = async () => {
    for await (const page of log.read(after, stop.signal)) entries.push(...withoutBeats(page))
  }
  return { entries, ended: reading(), stop: () => stop.abort() }
}
