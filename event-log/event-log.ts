/**
 * The event log: ordered, durable. A position in it is a version of the state.
 *
 * @module
 */

/** An entry as it is read. */
export interface LogEntry {
  /** Only grows; may have gaps. At most 2^53-1. */
  readonly position: number
  /** 64 bits by which two logs that count alike are told apart. */
  readonly digest: bigint
  /** The event's bytes. */
  readonly event: Uint8Array
}

/** A position and its digest. Position -1 with digest 0: before the first entry. */
export interface LogPosition {
  readonly position: number
  readonly digest: bigint
}

/** A log that one or more processes append to and read. */
export interface EventLog {
  /** Created once and stored in the log; another epoch is another log. */
  readonly epoch: string

  /**
   * Appends an event; it is durable when this resolves.
   *
   * @returns its position.
   * @throws RescindError ERR_LOG_TIMEOUT when it is not known whether it was stored; ERR_LOG_TAKEN when another
   *   process writes to the log.
   */
  append(event: Uint8Array): Promise<number>

  /** Appends events in their order, all or none; durable when this resolves. At most 900 kB together. */
  appendAll(events: readonly Uint8Array[]): Promise<readonly number[]>

  /**
   * Reads what comes after a position (-1: everything), first what is there and then what is appended, in pages.
   * Only durable entries are read. Ends when the signal aborts or the log is closed.
   */
  read(after: number, signal: AbortSignal): AsyncIterable<readonly LogEntry[]>

  /** The position of the first entry that is still there. */
  start(): Promise<number>

  /** The last durable entry, read afresh. */
  end(): Promise<LogPosition>

  /** Stops appending and reading. */
  close(): Promise<void>
}

/** Before the first entry. */
export const beforeFirst: LogPosition = { position: -1, digest: 0n }

/** Most bytes in one {@link EventLog.appendAll}. */
export const appendBytesLimit = 900_000
