/**
 * The baselines: the client library of a driver, writing and reading the same bytes without Rescind.
 *
 * @module
 */

/** A client library, and no more. */
export interface BareClient {
  /** Writes events beside the log, in their order, as durably as the log does, all at once. */
  write(events: readonly Buffer[]): Promise<void>
  /** Reads the log at the place from its start to its end; gives the bytes of its values. */
  readAll(): Promise<number>
  close(): Promise<void>
}
