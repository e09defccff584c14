/**
 * Starts everything that imports what others publish.
 *
 * @module
 */
import { type EventHubSettings, startEventHubImporter } from './event-hub/importer.ts'
import type { TokenRegistry } from './grants/token-registry.ts'
import type { Importer } from './importer.ts'
import { type InboxSettings, startInbox } from './inbox/inbox.ts'
import { createIngests, type IngestOptions } from './ingest.ts'

/** What is imported, and what importers share. */
export interface ImportersOptions extends IngestOptions {
  readonly inboxes: readonly InboxSettings[]
  /** Absent: there is no event hub. */
  readonly eventHub: EventHubSettings | undefined
  /** Absent: there is no token registry. */
  readonly tokens?: TokenRegistry | undefined
}

/** Starts all inboxes and the event hub, in the background. What cannot be reached is tried until it can. */
export function startImporters(options: ImportersOptions): Importer {
  const { inboxes, eventHub, tokens, logger } = options
  const ingestOf = createIngests(options)
  const importers = inboxes.map(inbox => startInbox(inbox, ingestOf(`inbox:${inbox.name}`), logger, tokens))
  if (eventHub !== undefined)
    importers.push(startEventHubImporter({ settings: eventHub, ingest: ingestOf('event-hub'), logger }))
  return {
    async close() {
      await Promise.all(importers.map(importer => importer.close()))
    },
  }
}
