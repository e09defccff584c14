/**
 * The configuration as the parts of the product take it: times as numbers, defaults that depend on the machine.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { EmbeddedLogOptions } from '../event-log/embedded/embedded-log.ts'
import { readClientTls } from '../runtime/client-tls.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import type { Config } from '../runtime/config/schema.ts'
import { parseSizeBytes } from '../runtime/config/size.ts'
import type { IssuerSettings } from '../token/verifier.ts'

const seconds = (text: string): number => parseDurationMs(text) / 1000

/** Times that all parts share, seconds. */
export const timesOf = ({ tokens }: Config) => ({
  clockToleranceSeconds: seconds(tokens.clockTolerance),
  maxTokenLifetimeSeconds: seconds(tokens.maxTokenLifetime),
  maxClockDifferenceSeconds: seconds(tokens.maxClockDifference),
})

/** The issuers whose tokens are verified. */
export const issuersOf = ({ issuers }: Config): readonly IssuerSettings[] =>
  issuers.map(issuer => ({
    issuer: issuer.issuer,
    jwksUri: issuer.jwksUri,
    audiences: issuer.audiences,
    algorithms: issuer.algorithms,
    jwksRefreshSeconds: seconds(issuer.jwksRefresh),
    jwksMaxAgeSeconds: seconds(issuer.jwksMaxAge),
  }))

/** How long some enforcer may go on using a key that its issuer no longer publishes, seconds. */
export const retiredKeysSecondsOf = (config: Config): number =>
  Math.max(0, ...config.issuers.map(({ jwksMaxAge }) => seconds(jwksMaxAge))) +
  timesOf(config).maxClockDifferenceSeconds

/** For how long after its expiry a revocation is still kept, seconds. */
export function graceSecondsOf(config: Config): number {
  const { clockToleranceSeconds, maxClockDifferenceSeconds } = timesOf(config)
  return clockToleranceSeconds + maxClockDifferenceSeconds
}

/** Where the embedded log lies. */
export const embeddedLogOf = ({ eventLog }: Config): EmbeddedLogOptions => ({
  folder: eventLog.folder,
  appendTimeoutMs: parseDurationMs(eventLog.appendTimeout),
})

/** Which Redis is the log. */
export function redisLogOf({ eventLog }: Config) {
  const { tls, ...redis } = eventLog.redis
  return {
    ...redis,
    appendTimeoutMs: parseDurationMs(eventLog.appendTimeout),
    tls: readClientTls(tls, 'eventLog.redis.tls'),
  }
}

const daySeconds = 24 * 3600

/** Which Kafka topic is the log, and how long it must keep entries: longer than any token lives. */
export function kafkaLogOf(config: Config) {
  const { brokers, topic, clientId, createTopic, replicationFactor, tls, sasl } = config.eventLog.kafka
  const requiredRetentionSeconds =
    timesOf(config).maxTokenLifetimeSeconds + graceSecondsOf(config) + daySeconds
  return {
    brokers,
    topic,
    clientId,
    requiredRetentionSeconds,
    appendTimeoutMs: parseDurationMs(config.eventLog.appendTimeout),
    createTopic: createTopic
      ? {
          retentionSeconds: requiredRetentionSeconds,
          ...(replicationFactor === undefined ? {} : { replicationFactor }),
        }
      : undefined,
    ...(tls.enabled ? { tls: readClientTls(tls, 'eventLog.kafka.tls') } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

/** Settings of the adapter, its log aside. */
export const adapterOf = (config: Config) => ({
  address: config.adapter.address,
  toleranceSeconds: timesOf(config).clockToleranceSeconds,
  streamMaxAgeMs: parseDurationMs(config.adapter.streamMaxAge),
  streamsLimit: config.adapter.maxStreams,
  nodesRememberedMs: parseDurationMs(config.enforcer.maxStaleness),
})

/** Settings of the enforcer, its verifier aside. */
export const enforcerOf = ({ enforcer, tokens }: Config) => ({
  address: enforcer.address,
  adapters: enforcer.adapters,
  discovery: {
    protocol: enforcer.discovery.protocol,
    readyAfterMs: parseDurationMs(enforcer.discovery.readyAfter),
    clockToleranceSeconds: seconds(enforcer.clockTolerance ?? tokens.clockTolerance),
    maxTokenLifetimeSeconds: seconds(enforcer.maxTokenLifetime ?? tokens.maxTokenLifetime),
  },
  label: enforcer.label,
  instance: enforcer.instance ?? `${hostname()}-${randomBytes(4).toString('hex')}`,
  clockToleranceSeconds: enforcer.clockTolerance === undefined ? undefined : seconds(enforcer.clockTolerance),
  maxTokenLifetimeSeconds:
    enforcer.maxTokenLifetime === undefined ? undefined : seconds(enforcer.maxTokenLifetime),
  whenNotReady: enforcer.whenNotReady,
  whenStale: enforcer.whenStale,
  maxStalenessMs: parseDurationMs(enforcer.maxStaleness),
  drainDelayMs: parseDurationMs(enforcer.drainDelay),
  errorStyle: enforcer.errorStyle,
  tokenCache: {
    entriesLimit: enforcer.tokenCache.entries,
    bytesLimit: parseSizeBytes(enforcer.tokenCache.size),
  },
  revocationsLimit: enforcer.maxRevocations,
  snapshotOnDisk:
    enforcer.snapshot.file === undefined
      ? undefined
      : {
          file: enforcer.snapshot.file,
          saveEveryMs: parseDurationMs(enforcer.snapshot.saveEvery),
          useAfterMs: parseDurationMs(enforcer.snapshot.useAfter),
        },
})
