/**
 * The texts of revocations for those who send them: what was applied must be on disk before a walk begins.
 *
 * @module
 */
import type { TextsOnDisk } from '../event-log/checkpoint-texts.ts'
import type { Logger } from '../runtime/logger.ts'
import type { SotwTexts, Ticket } from './sotw-batches.ts'

const retryMs = 1_000

/** What belongs to the texts. */
export interface SotwTextsOptions {
  readonly texts: TextsOnDisk
  readonly logger: Logger
  /** Called when a ticket is done. */
  readonly onWritten: () => void
}

/** Creates the source; a write that fails is tried again until it is closed. */
export function createSotwTexts({
  texts,
  logger,
  onWritten,
}: SotwTextsOptions): SotwTexts & { close(): void } {
  const retries = new Set<NodeJS.Timeout>()
  let isClosed = false

  const write = (ticket: { done: boolean }) => {
    texts.flush().then(
      () => {
        ticket.done = true
        onWritten()
      },
      error => {
        if (isClosed) return
        logger.error({ err: error }, 'the checkpoint cannot be written, so that a SotW stream must wait')
        const retry = setTimeout(() => {
          retries.delete(retry)
          write(ticket)
        }, retryMs)
        retries.add(retry)
      },
    )
  }
  return {
    written: (): Ticket => {
      const ticket = { done: false }
      write(ticket)
      return ticket
    },
    after: texts.textsAfter,
    close: () => {
      isClosed = true
      for (const retry of retries) clearTimeout(retry)
    },
  }
}
