/**
 * What the suite of event logs is run on.
 *
 * @module
 */
import type { EventLog } from '../../event-log/event-log.ts'

/** A log that a test owns. */
export interface LogUnderTest {
  open(): Promise<EventLog>
  /** Closes what is open and opens the same log again, as a process that starts anew. */
  reopen(): Promise<EventLog>
  /** Closes it and removes it. */
  destroy(): Promise<void>
}

/** What the drivers differ in. */
export interface DriverTraits {
  /** The digest at a position stands for everything up to it. */
  readonly chainsDigests: boolean
  /** The log keeps its epoch in entries of its own. */
  readonly beats: boolean
}

/** Defines a test with a log of its own. */
export type LogTest = (name: string, run: (log: EventLog, under: LogUnderTest) => Promise<void>) => void

/** A log that is opened by `open`, one at a time, and removed by `remove`. */
export function createLogUnderTest(
  open: () => Promise<EventLog>,
  remove: () => Promise<void> = async () => undefined,
): LogUnderTest {
  let log: EventLog | undefined
  const close = async () => {
    await log?.close()
    log = undefined
  }
  const reopen = async () => {
    await close()
    log = await open()
    return log
  }
  return {
    open: reopen,
    reopen,
    destroy: async () => {
      await close()
      await remove()
    },
  }
}

/** An event. */
export const bytes = (text: string): Buffer => Buffer.from(text)

/** Events that tell their number. */
export const numbered = (count: number, name = 'event'): Buffer[] =>
  Array.from({ length: count }, (_, index) => bytes(`${name} ${index}`))
