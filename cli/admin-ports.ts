/**
 * The admin ports: health and metrics of each part.
 *
 * @module
 */
import { Registry } from 'prom-client'
import type { Adapter } from '../adapter/adapter.ts'
import { addFleetMetrics } from '../adapter/fleet-metrics.ts'
import { addFleetRoutes } from '../adapter/fleet-routes.ts'
import type { Enforcer } from '../enforcer/enforcer.ts'
import type { DeadLetters } from '../event-log/dead-letters.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { createAdminServer } from '../runtime/admin-server.ts'
import type { Config } from '../runtime/config/schema.ts'
import { addGauge } from '../runtime/gauge.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { addTlsGauges } from '../runtime/tls/gauges.ts'

/** Something that listens. */
export interface AdminPort {
  close(): Promise<void>
}

/** What the admin port of an adapter shows. */
export interface AdapterAdminOptions {
  readonly adapter: Adapter
  /** Undefined: it is not encrypted. */
  readonly tls: TlsFiles | undefined
  readonly follower: LogFollower
  readonly deadLetters: DeadLetters
  readonly logger: Logger
}

/** Starts the admin port of an adapter. */
export async function startAdapterAdmin(config: Config, options: AdapterAdminOptions): Promise<AdminPort> {
  const { adapter, tls, follower, deadLetters, logger } = options
  const registry = new Registry()
  const gauge = addGauge.bind(undefined, registry)
  gauge('rescind_adapter_version', 'Position in the event log that is served.', () => follower.state.position)
  gauge('rescind_adapter_revocations', 'Keys with live or restored revocations.', () => follower.state.size)
  gauge('rescind_adapter_nodes', 'Enforcers that are connected.', () => adapter.fleet.connected)
  gauge(
    'rescind_adapter_log_age_seconds',
    'Time since the end of the event log was read and reached; +Inf before the first time.',
    () => (performance.now() - follower.confirmedAtMs) / 1000,
  )
  gauge(
    'rescind_adapter_log_rollbacks',
    'How often the event log turned out to be another one, or to have lost its tail.',
    () => follower.rollbacks,
  )
  gauge(
    'rescind_adapter_dead_letters',
    'Entries of the event log that could not be understood.',
    () => deadLetters.total,
  )
  if (tls !== undefined) addTlsGauges(registry, 'adapter', tls)
  addFleetMetrics(registry, adapter.status)
  const admin = createAdminServer({
    address: config.adapter.adminAddress,
    setting: 'adapter.adminAddress',
    ready: adapter.ready,
    registry,
    logger,
  })
  addFleetRoutes(admin.server, adapter)
  await admin.listen()
  return admin
}

/** What the admin port of a revoker shows. */
export interface RevokerAdminOptions {
  ready(): boolean
  readonly deadLetters: DeadLetters
  readonly registry: Registry
  readonly logger: Logger
}

/** Starts the admin port of a revoker. */
export async function startRevokerAdmin(config: Config, options: RevokerAdminOptions): Promise<AdminPort> {
  const { deadLetters, registry, logger } = options
  addGauge(
    registry,
    'rescind_revoker_dead_letters',
    'Events that could not be understood, those of the event log included.',
    () => deadLetters.total,
  )
  const admin = createAdminServer({
    address: config.revoker.adminAddress,
    setting: 'revoker.adminAddress',
    ready: () =>
      options.ready() ? { ready: true, reasons: [] } : { ready: false, reasons: ['reading the event log'] },
    registry,
    logger,
  })
  await admin.listen()
  return admin
}

/** Starts the admin port of an enforcer. */
export async function startEnforcerAdmin(
  config: Config,
  enforcer: Enforcer,
  registry: Registry,
  logger: Logger,
): Promise<AdminPort> {
  const admin = createAdminServer({
    address: config.enforcer.adminAddress,
    setting: 'enforcer.adminAddress',
    ready: enforcer.ready,
    registry,
    logger,
  })
  await admin.listen()
  return admin
}
