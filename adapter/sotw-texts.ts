/**
 * The texts of revocations for those who send them: what was applied must be on disk before a walk begins.
 *
 * @module
 */
import type { TextsOnDisk } from '../event-log/checkpoint-texts.ts'
import type { Logger } from '../runtime/logger.ts'
import type { SotwTexts } from './sotw-batches.ts'

const retryMs = 1_000

/** What belongs to the texts. */
export interface SotwTextsOptions {
  readonly texts: TextsOnDisk
  readonly logger: Logger
  /** Called when a ticket is done. */
  readonly onWritten: () => void
}

interface OpenTicket {
  done: boolean
}

/**
 * Creates the source. Whoever comes while a write is under way shares the next one; a write that fails is tried again
 * until it is closed.
 */
export function createSotwTexts({
  texts,
  logger,
  onWritten,
}: SotwTextsOptions): SotwTexts & { close(): void } {
  let underWay: OpenTicket | undefined
  let next: OpenTicket | undefined
  let retrying: NodeJS.Timeout | undefined
  let isClosed = false

  const finish = (ticket: OpenTicket) => {
    ticket.done = true
    underWay = undefined
    if (next !== undefined) write(next)
    onWritten()
  }
  const retry = (ticket: OpenTicket, error: unknown) => {
    if (isClosed) return
    logger.error({ err: error }, 'the checkpoint cannot be written; streams that begin with its texts wait')
    retrying = setTimeout(() => write(ticket), retryMs)
  }
  const write = (ticket: OpenTicket) => {
    underWay = ticket
    next = undefined
    texts.flush().then(
      () => finish(ticket),
      error => retry(ticket, error),
    )
  }
  return {
    written: () => {
      const ticket = underWay === undefined ? { done: false } : (next ?? { done: false })
      if (underWay === undefined) write(ticket)
      else next = ticket
      return ticket
    },
    after: texts.textsAfter,
    close: () => {
      isClosed = true
      clearTimeout(retrying)
    },
  }
}
