/**
 * Messages that are read, stored and then committed together.
 *
 * @module
 */
import type { Received } from '../ingest.ts'

/**
 * A message of an inbox; its position is `topic/partition/offset`, or the stream and the entry's id. Without content it
 * is none: a record without a value, an entry without the field.
 */
export type InboxMessage = Omit<Received, 'read'>

/**
 * Resolves when all messages of a page are done with, so that they may be committed.
 *
 * @throws the signal's reason; nothing of the page may then be committed.
 */
export type TakePage = (messages: readonly InboxMessage[], signal: AbortSignal) => Promise<void>
