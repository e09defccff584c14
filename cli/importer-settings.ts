/**
 * The configuration of inboxes and event hub as the revoker takes it.
 *
 * @module
 */
import type { EventHubSettings } from '../revoker/event-hub/importer.ts'
import type { InboxSettings } from '../revoker/inbox/inbox.ts'
import type { KafkaInboxSettings } from '../revoker/inbox/kafka-inbox.ts'
import type { RedisInboxSettings } from '../revoker/inbox/redis-inbox.ts'
import { readClientTls } from '../runtime/client-tls.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import { parseRedisUrl } from '../runtime/config/redis-url.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { InboxConfig } from '../runtime/config/sections/inbox.ts'

/** What a revoker imports. @throws RescindError ERR_CONFIG_INVALID for a file of the TLS settings that cannot be read. */
export const importersOf = ({ revoker }: Pick<Config, 'revoker'>) => ({
  inboxes: revoker.inbox.map(inboxOf),
  eventHub: eventHubOf(revoker.eventHub),
})

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
      ? { redis: redisInboxOf(redis as NonNullable<typeof redis>, `${setting}.redis`) }
      : { kafka: kafkaInboxOf(kafka, `${setting}.kafka`) }
  return { name, formats, issuers, key, transmitters, from }
}

function kafkaInboxOf(
  { tls, sasl, ...rest }: NonNullable<InboxConfig['kafka']>,
  setting: string,
): KafkaInboxSettings {
  return {
    ...rest,
    setting,
    ...(tls.enabled ? { tls: readClientTls(tls, `${setting}.tls`) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

const redisInboxOf = (
  { url, tls, ...rest }: NonNullable<InboxConfig['redis']>,
  setting: string,
): RedisInboxSettings => ({
  ...rest,
  setting,
  url: parseRedisUrl(url, setting),
  tls: readClientTls(tls, `${setting}.tls`),
})

function eventHubOf(hub: Config['revoker']['eventHub']): EventHubSettings | undefined {
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
    queue: { name: queue.name, durable: queue.durable, expiresMs: parseDurationMs(queue.expires) },
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
