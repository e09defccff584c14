/**
 * An inbox: a Kafka topic or Redis stream that others write and revokers read as one group.
 *
 * @module
 */
import { invalidEvent } from '../../revocation/formats/foreign-format.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createForeignReader } from '../foreign-events.ts'
import { tokensIssuedFormat } from '../grants/issued-events.ts'
import type { TokenRegistry } from '../grants/token-registry.ts'
import type { Importer } from '../importer.ts'
import type { Ingest } from '../ingest.ts'
import { createSetVerifier, type Transmitter } from '../set-verification.ts'
import { type KafkaInboxSettings, readKafkaInbox } from './kafka-inbox.ts'
import type { InboxMessage, TakePage } from './page.ts'
import { type RedisInboxSettings, readRedisInbox } from './redis-inbox.ts'

/** What an inbox is and what it may revoke. */
export interface InboxSettings {
  readonly name: string
  readonly from: { readonly kafka: KafkaInboxSettings } | { readonly redis: RedisInboxSettings }
  /** Names of the formats that are accepted. */
  readonly formats: readonly string[]
  /** The issuers whose tokens unsigned messages may revoke. */
  readonly issuers: readonly string[]
  /** HMAC key that events in our own format must be made with. */
  readonly key: string | undefined
  /** Who may send security event tokens; each is bound to issuers of its own. */
  readonly transmitters: readonly Transmitter[]
}

const noContent = 'no message (any more): a Redis entry needs the field event, a Kafka record a value'

/** Starts to read an inbox, in the background and until closed; events of issued tokens are for the registry. */
export function startInbox(
  settings: InboxSettings,
  ingest: Ingest,
  logger: Logger,
  tokens?: TokenRegistry,
): Importer {
  const { name, from, formats, issuers, key, transmitters } = settings
  const sets = createSetVerifier(transmitters, logger)
  const furtherFormats = tokens === undefined ? [] : [tokensIssuedFormat(tokens, `inbox:${name}`)]
  const reader = createForeignReader({ formats, furtherFormats, issuers, eventKey: key, sets })
  const takePage: TakePage = async (messages, signal) => {
    const read = async ({ content }: InboxMessage) => {
      if (content === undefined) throw invalidEvent(noContent)
      return reader.read(content)
    }
    await Promise.all(messages.map(message => ingest.take({ ...message, read: () => read(message) }, signal)))
  }
  const source =
    'kafka' in from
      ? readKafkaInbox(name, from.kafka, takePage, logger)
      : readRedisInbox(name, from.redis, takePage, logger)
  return {
    async close() {
      const closed = source.close()
      // Messages that wait for keys are given up.
      sets.close()
      await closed
    },
  }
}
