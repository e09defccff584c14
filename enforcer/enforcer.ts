/**
 * The enforcer: keeps the table up to date and answers Envoy's ext_authz checks from memory.
 *
 * @module
 */
import type { Registry } from 'prom-client'
import type { Readiness } from '../runtime/admin-server.ts'
import { addGauge } from '../runtime/gauge.ts'
import { createHealth } from '../runtime/grpc-health.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TokenVerifier } from '../token/verifier.ts'
import { createAnswers, type ErrorStyle } from './check/answers.ts'
import { createCheck, type Standing } from './check/check.ts'
import { createCheckCounts } from './check/counts.ts'
import { TokenCache, type TokenCacheLimits } from './check/token-cache.ts'
import { type DiscoveryClient, startDiscoveryClient } from './discovery/client.ts'
import { createDeltaFeed } from './discovery/delta-feed.ts'
import type { AnyFeed, Feed } from './discovery/feed.ts'
import { createGrpcStreams, type DiscoveryTls } from './discovery/grpc-streams.ts'
import { pruneSnapshot } from './discovery/snapshot.ts'
import { createSotwSubscription } from './discovery/sotw-subscription.ts'
import { Subscription } from './discovery/subscription.ts'
import { createSnapshotFile } from './snapshot-file.ts'
import { keepSnapshot, type SnapshotKeeper } from './snapshot-keeper.ts'
import { deciding, type NotReadyPolicy, type StalePolicy, standingOf } from './standing.ts'
import { startGrpcJsTransport } from './transport/grpc-js.ts'

/** How the enforcer is fed; what follows holds for what adapters of Choreo Connect (`sotw`) do not say. */
export interface DiscoverySettings {
  readonly protocol: 'delta' | 'sotw'
  readonly readyAfterMs: number
  readonly clockToleranceSeconds: number
  readonly maxTokenLifetimeSeconds: number
}

/** The snapshot on disk. */
export interface SnapshotSettings {
  readonly file: string
  readonly saveEveryMs: number
  readonly useAfterMs: number
}

/** Settings of an enforcer; see docs/configuration.md. */
export interface EnforcerOptions {
  readonly address: string
  readonly adapters: readonly string[]
  readonly discovery: DiscoverySettings
  /** TLS towards adapters; undefined: not encrypted. */
  readonly discoveryTls?: DiscoveryTls | undefined
  /** Undefined: nothing is kept on disk. Only with the delta protocol. */
  readonly snapshotOnDisk?: SnapshotSettings | undefined
  readonly label: string
  readonly instance: string
  readonly clockToleranceSeconds?: number | undefined
  readonly maxTokenLifetimeSeconds?: number | undefined
  readonly whenNotReady: NotReadyPolicy
  readonly whenStale: StalePolicy
  readonly maxStalenessMs: number
  readonly drainDelayMs: number
  readonly errorStyle: ErrorStyle
  readonly tokenCache: TokenCacheLimits
  readonly revocationsLimit: number
  readonly verifier: TokenVerifier
  readonly registry: Registry
  readonly logger: Logger
}

/** A running enforcer. */
export interface Enforcer {
  readonly port: number
  ready(): Readiness
  /** Resolves when it is ready for the first time. */
  readonly becameReady: Promise<void>
  /** Says NOT_SERVING, serves on for the drain delay, then closes. */
  drain(): Promise<void>
  /** Closes at once. */
  close(): Promise<void>
}

const watchMs = 50
const pruneStepMs = 50
const alarmStalenessMs = 30_000

/**
 * Starts an enforcer. It listens at once, and is NOT_SERVING until it is ready.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startEnforcer(options: EnforcerOptions): Promise<Enforcer> {
  const { logger, verifier } = options
  const { feed, start, keep } = createFeed(options)
  const { snapshot } = feed
  const health = createHealth()
  const cache = new TokenCache(options.tokenCache)
  registerGauges(options.registry, feed, cache)
  let standing: Standing = { mode: 'undecided', reason: 'not_ready' }
  let isDraining = false
  let reportReady: () => void = () => undefined
  const becameReady = new Promise<void>(resolve => {
    reportReady = resolve
  })

  const notReadyReasons = () => [...feed.notReadyReasons(performance.now()), ...verifier.ready().reasons]
  const stalenessMs = () => feed.stalenessMs(performance.now())
  const watch = () => {
    const reasons = notReadyReasons()
    const now = standingOf({ ...options, notReadyReasons: reasons, stalenessMs: stalenessMs() })
    if (now.mode !== standing.mode || now.reason !== standing.reason) logStanding(logger, now, reasons)
    standing = now
    health.set(reasons.length === 0 && !isDraining)
    if (reasons.length === 0) reportReady()
  }

  const transport = await startGrpcJsTransport({
    address: options.address,
    check: createCheck({
      snapshot,
      verifier,
      cache,
      answers: createAnswers(options.errorStyle),
      clockToleranceSeconds: options.clockToleranceSeconds,
      maxTokenLifetimeSeconds: options.maxTokenLifetimeSeconds,
      standing: () => standing,
      count: createCheckCounts(options.registry),
      nowSeconds: () => Date.now() / 1000,
    }),
    health,
    logger,
  })
  const keeper = await keep?.()
  if (keeper !== undefined) registerKeeperGauges(options.registry, keeper)
  const discovery = start(watch)
  const watching = setInterval(watch, watchMs)
  const pruning = setInterval(() => pruneSnapshot(snapshot, Date.now() / 1000), pruneStepMs)
  const staleness = watchStaleness(logger, stalenessMs)

  const close = async () => {
    for (const timer of [watching, pruning, staleness]) clearInterval(timer)
    await transport.close()
    await discovery.close()
    await keeper?.close()
    verifier.close()
  }
  return {
    port: transport.port,
    becameReady,
    ready: () => {
      const reasons = [...notReadyReasons(), ...(isDraining ? ['draining'] : [])]
      return { ready: reasons.length === 0, reasons, notes: keeper?.note === undefined ? [] : [keeper.note] }
    },
    drain: async () => {
      isDraining = true
      watch()
      await new Promise(done => setTimeout(done, options.drainDelayMs))
      await close()
    },
    close,
  }
}

/** The feed of the configured protocol, and how to start its client and what keeps it on disk. */
function createFeed(options: EnforcerOptions) {
  const startable = <Request, Response>(
    feed: Feed<Request, Response>,
    keep?: () => Promise<SnapshotKeeper>,
  ) => ({
    feed: feed as AnyFeed,
    start: (onReceived: () => void): DiscoveryClient => {
      const transport = createGrpcStreams(feed.protocol, options.discoveryTls)
      return startDiscoveryClient({ ...options, feed, transport, onReceived })
    },
    keep,
  })
  if (options.discovery.protocol === 'sotw')
    return startable(createSotwSubscription({ ...options, ...options.discovery }))
  const subscription = new Subscription(options)
  const { snapshotOnDisk: disk, logger } = options
  const keep =
    disk && (() => keepSnapshot({ ...disk, subscription, logger, store: createSnapshotFile(disk.file) }))
  return startable(createDeltaFeed(subscription), keep)
}

function registerKeeperGauges(registry: Registry, keeper: SnapshotKeeper) {
  addGauge(
    registry,
    'rescind_enforcer_snapshot_from_disk',
    '1 while checks are decided by the snapshot on disk because no adapter has answered; else 0.',
    () => (keeper.note === undefined ? 0 : 1),
  )
  addGauge(
    registry,
    'rescind_enforcer_snapshot_saved_seconds',
    'When the snapshot was last stored on disk, seconds since 1970; 0 before the first time.',
    () => (keeper.savedAtMs ?? 0) / 1000,
  )
}

function registerGauges(registry: Registry, feed: AnyFeed, cache: TokenCache) {
  const gauge = addGauge.bind(undefined, registry)
  const { snapshot } = feed
  gauge('rescind_enforcer_version', 'Position in the event log that is enforced.', () => snapshot.version)
  gauge('rescind_enforcer_table_entries', 'Entries in the revocation table.', () => snapshot.table.size)
  gauge('rescind_enforcer_table_bytes', 'Bytes of the revocation table.', () => snapshot.table.bytes)
  gauge('rescind_enforcer_token_cache_entries', 'Verified tokens that are remembered.', () => cache.size)
  gauge(
    'rescind_enforcer_staleness_seconds',
    'Age of what is known of the end of the event log.',
    () => feed.stalenessMs(performance.now()) / 1000,
  )
}

function logStanding(logger: Logger, standing: Standing, reasons: readonly string[]): void {
  if (standing === deciding) logger.info({}, 'checks are decided')
  else logger.warn({ mode: standing.mode, reasons }, `checks are not decided: ${standing.reason}`)
}

function watchStaleness(logger: Logger, stalenessMs: () => number): NodeJS.Timeout {
  let isStale = false
  return setInterval(() => {
    const age = stalenessMs()
    const wasStale = isStale
    isStale = Number.isFinite(age) && age > alarmStalenessMs
    if (isStale && !wasStale)
      logger.error({ stalenessSeconds: age / 1000 }, 'the snapshot of the revocations is stale')
    if (!isStale && wasStale) logger.info({}, 'the snapshot of the revocations is fresh again')
  }, 1_000)
}
