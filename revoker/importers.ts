/**
 * Starts everything that imports what others publish, from the configuration.
 *
 * @module
 */
import { readClientTls } from '../runtime/client-tls.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import { parseRedisUrl } from '../runtime/config/redis-url.ts'
import type { EventHubConfig } from '../runtime/config/sections/event-hub.ts'
import type { InboxConfig } from '../runtime/config/sections/inbox.ts'
import { type EventHubSettings, startEventHubImporter } from './event-hub/importer.ts'
import type { Importer } from './importer.ts'
import { type InboxSettings, startInbox } from './inbox/inbox.ts'
import type { KafkaInboxSettings } from './inbox/kafka-inbox.ts'
import type { RedisInboxSettings } from './inbox/redis-inbox.ts'
import { createIngests, type IngestOptions } from './ingest.ts'

/** What is imported, and what importers share. */
export interface ImportersOptions extends IngestOptions {
  readonly inbox: readonly InboxConfig[]
  readonly eventHub: EventHubConfig
}

/**
 * Starts all inboxes and the event hub, in the background. What cannot be reached is tried until it can.
 *
 * @throws RescindError ERR_CONFIG_INVALID for a file of the TLS settings that cannot be read.
 */
export async function startImporters(options: ImportersOptions): Promise<Importer> {
  const { logger } = options
  const inboxes = options.inbox.map(inboxOf)
  const hub = eventHubOf(options.eventHub)
  const ingestOf = createIngests(options)
  const importers = inboxes.map(inbox => startInbox(inbox, ingestOf(`inbox:${inbox.name}`), logger))
  if (hub !== undefined) importers.push(startEventHubImporter(hub, ingestOf('event-hub'), logger))
  return {
    async close() {
      await Promise.all(importers.map(importer => importer.close()))
    },
  }
}

function inboxOf(inbox: InboxConfig, index: number): InboxSettings {
  const { name, formats, issuers, key, kafka, redis } = inbox
  const setting = `revoker.inbox[${index}]`
  const transmitters = inbox.transmitters.map(transmitter => ({
    ...transmitter,
    issuers: transmitter.issuers.length === 0 ? [transmitter.issuer] : transmitter.issuers,
  }))
  // The configuration's checks allow exactly one of the two.
  const from =
    kafka === undefined
      ? { redis: redisOf(redis as NonNullable<typeof redis>, setting) }
      : { kafka: kafkaOf(kafka, setting) }
  return { name, formats, issuers, key, transmitters, from }
}

function kafkaOf(
  { tls, sasl, ...rest }: NonNullable<InboxConfig['kafka']>,
  setting: string,
): KafkaInboxSettings {
  const tlsOptions = tls.enabled ? readClientTls(tls, `${setting}.kafka.tls`) : undefined
  return {
    ...rest,
    ...(tlsOptions === undefined ? {} : { tls: tlsOptions }),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

function redisOf(
  { url, tls, ...rest }: NonNullable<InboxConfig['redis']>,
  setting: string,
): RedisInboxSettings {
  return { ...rest, url: parseRedisUrl(url), tls: readClientTls(tls, `${setting}.redis.tls`) }
}

function eventHubOf(hub: EventHubConfig): EventHubSettings | undefined {
  const {
    brokers,
    username = '',
    password = '',
    exchange,
    routingKey,
    queue,
    prefetch,
    issuers,
    refill,
  } = hub
  if (brokers.length === 0) return undefined
  return {
    brokers,
    username,
    password,
    tls: readClientTls(hub.tls, 'revoker.eventHub.tls'),
    exchange,
    routingKey,
    queue: { name: queue.name, expiresMs: parseDurationMs(queue.expires) },
    durable: queue.durable,
    prefetch,
    issuers,
    refill:
      refill.url === undefined
        ? undefined
        : {
            url: refill.url,
            username: refill.username ?? '',
            password: refill.password ?? '',
            tls: readClientTls(refill.tls, 'revoker.eventHub.refill.tls'),
            timeoutMs: parseDurationMs(refill.timeout),
          },
  }
}
