/**
 * Messages that are read, stored and then committed together.
 *
 * @module
 */

/** A message of an inbox. */
export interface InboxMessage {
  readonly content: Uint8Array
  /** `topic/partition/offset`, or the stream and the entry's id. */
  readonly position: string
}

/**
 * Resolves when all messages of a page are done with, so that they may be committed.
 *
 * @throws the signal's reason; nothing of the page may then be committed.
 */
export type TakePage = (messages: readonly InboxMessage[], signal: AbortSignal) => Promise<void>

/** Most messages that are under way at once. */
export const pageMessages = 500
