/**
 * Reads a log on and on over failures, as the follower does, and keeps what it got.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { RescindError } from '../../revocation/error.ts'

const retryMs = 50

/** Follows until it is stopped, which gives the error that another attempt would not have helped against. */
export const startFollowing = (log: EventLog) => {
  const stop = new AbortController()
  const entries: LogEntry[] = []
  let failures = 0

  const follow = async () => {
    while (!stop.signal.aborted) {
      try {
        for await (const page of log.read(entries.at(-1) ?? beforeFirst, stop.signal)) entries.push(...page)
        return // The log was closed; asking it again would never wait.
      } catch (error) {
        if (!(error instanceof RescindError) || error.code !== 'ERR_LOG_UNREACHABLE') throw error
        failures += 1
        await pause(retryMs, undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
  }
  const ended = follow()
  // Who stops it is told; until then a failure must not end the process.
  ended.catch(() => undefined)
  return {
    entries,
    /** How often reading failed because the log could not be reached. */
    failures: () => failures,
    /** Rejects when reading failed for good. */
    ended,
    stop: async () => {
      stop.abort()
      await ended
    },
  }
}
