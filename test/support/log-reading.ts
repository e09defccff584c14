/**
 * Reading an event log in tests.
 *
 * @module
 */
import type { EventLog, LogEntry } from '../../event-log/event-log.ts'

/** Reads what is there now after a position. */
export const readNow = async (log: EventLog, after = -1): Promise<LogEntry[]> => {
  const { position: end } = await log.end()
  const entries: LogEntry[] = []
  if (after >= end) return entries
  const stop = new AbortController()
  for await (const page of log.read(after, stop.signal)) {
    entries.push(...page)
    if ((entries.at(-1)?.position ?? -1) >= end) break
  }
  stop.abort()
  return entries
}

/** A reader that goes on until it is stopped. */
export const startReading = (log: EventLog, after: number) => {
  const stop = new AbortController()
  const entries: LogEntry[] = []
  const reading = async () => {
    for await (const page of log.read(after, stop.signal)) entries.push(...page)
  }
  return { entries, ended: reading(), stop: () => stop.abort() }
}
