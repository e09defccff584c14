/**
 * The event log: ordered, durable. A position in it is a version of the state.
 *
 * @module
 */
import type { Confirmation } from '../revocation/digest-history.ts'
import { RescindError } from '../revocation/error.ts'

/** An entry as it is read. */
export interface LogEntry {
  /** Only grows; may have gaps. At most 2^53-1. */
  readonly position: number
  /** 64 bits by which two logs that count alike are told apart. */
  readonly digest: bigint
  /** The event's bytes. */
  readonly event: Uint8Array
}

/** A position and its digest. */
export interface LogPosition {
  readonly position: number
  readonly digest: bigint
}

/** Before the first entry. */
export const beforeFirst: LogPosition = { position: -1, digest: 0n }

/** What a log says of itself, read afresh and at once, and of a position that somebody knows. */
export interface LogCheck {
  /** Created once and stored in the log; another epoch is another log. Absent: nobody has appended anything yet. */
  readonly epoch: string | undefined
  /** Position of the first entry that is still there; past `end` if there is none. */
  readonly start: number
  /** Position of the last durable entry; -1 if there is none. */
  readonly end: number
  /**
   * Whether the known position is still part of this log, with the same digest: `confirmed`; `different` if another
   * entry, or none, is there; `trimmed` if the log begins after it; `ahead` if the log ends before it.
   * {@link beforeFirst} is always confirmed.
   */
  readonly known: Confirmation
}

/** A log that one or more processes append to and read. */
export interface EventLog {
  /**
   * Appends an event; it is durable when this resolves.
   *
   * @returns its position.
   * @throws RescindError ERR_LOG_TIMEOUT when it is not known whether it was stored; after any other error nothing was
   *   stored: ERR_LOG_UNREACHABLE, ERR_LOG_WRITE, ERR_LOG_TAKEN, ERR_OVERLOADED, ERR_EVENT_TOO_LARGE.
   */
  append(event: Uint8Array): Promise<number>

  /** Appends events in their order, all or none; durable when this resolves. At most 900 kB together. */
  appendAll(events: readonly Uint8Array[]): Promise<readonly number[]>

  /**
   * Reads what comes after a position, first what is there and then what is appended, in pages. Only durable entries are
   * read. Ends when the signal aborts or the log is closed.
   *
   * @throws RescindError ERR_LOG_ROLLED_BACK when what comes next does not follow `after` (any more): ask
   *   {@link check} why and begin anew. Other errors: reading may be tried again where it was.
   */
  read(after: LogPosition, signal: AbortSignal): AsyncIterable<readonly LogEntry[]>

  /** Reads the log's state now, never from memory. */
  check(known: LogPosition): Promise<LogCheck>

  /**
   * Resolves when everything up to a position that was read is as durable as an append: then what it says need not be
   * appended again.
   *
   * @throws RescindError ERR_LOG_ROLLED_BACK if the position is no longer part of this log; else as {@link append}.
   */
  confirm(known: LogPosition): Promise<void>

  /**
   * Forgets what comes before a position, but never the last entry. Absent where the log forgets by itself. What is
   * still needed must have been appended again before (revoker/log-trimming.ts).
   *
   * @param known a position that was read after that; compared in the same step.
   * @throws RescindError ERR_LOG_ROLLED_BACK, and nothing is forgotten, unless `known` is still part of this log.
   */
  trim?(before: number, known: LogPosition): Promise<void>

  /** How long an entry stays after its append, whatever happens, seconds; Infinity if only {@link trim} forgets. */
  readonly keptSeconds: number

  /** Stops appending and reading. */
  close(): Promise<void>
}

/** Most bytes in one {@link EventLog.appendAll}. */
export const appendBytesLimit = 900_000

/**
 * Refuses events that are too many bytes for one append.
 *
 * @throws RescindError ERR_EVENT_TOO_LARGE
 */
export function checkAppendSize(events: readonly Uint8Array[]): void {
  const bytes = events.reduce((sum, event) => sum + event.length, 0)
  if (bytes <= appendBytesLimit) return
  throw new RescindError('ERR_EVENT_TOO_LARGE', `${bytes} bytes at once; ${appendBytesLimit} are allowed`)
}
