/**
 * Starts the parts of the product in this process.
 *
 * @module
 */
import { Registry } from 'prom-client'
import { type Adapter, logApplied, startAdapter } from '../adapter/adapter.ts'
import { type Enforcer, startEnforcer } from '../enforcer/enforcer.ts'
import { openEmbeddedLog } from '../event-log/embedded/embedded-log.ts'
import type { EventLog } from '../event-log/event-log.ts'
import { followLog, type LogFollower } from '../event-log/follow.ts'
import { startRevoker } from '../revoker/revoker.ts'
import { createAdminServer } from '../runtime/admin-server.ts'
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import type { Config } from '../runtime/config/schema.ts'
import { addGauge } from '../runtime/gauge.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import { createTokenVerifier } from '../token/verifier.ts'
import {
  adapterOf,
  embeddedLogOf,
  enforcerOf,
  issuersOf,
  retiredKeysSecondsOf,
  revokerOf,
  timesOf,
} from './settings.ts'

/** Parts that can be run. */
export type Role = 'all' | 'revoker' | 'adapter' | 'enforcer'

/** Something that runs until it is stopped. */
export interface Running {
  /** Resolves when it does its work. */
  readonly ready: Promise<void>
  /** Lets what is under way end, then stops. */
  stop(): Promise<void>
}

/** Revoker, adapter and enforcer on the embedded log, in one process. */
export async function runAll(config: Config): Promise<Running> {
  const logger = loggerOf(config, 'adapter')
  const log = await openEmbeddedLog(embeddedLogOf(config))
  const follower = follow(log, config, logger)
  await follower.caughtUp
  const revokerLogger = loggerOf(config, 'revoker')
  const verifier = createTokenVerifier({
    issuers: issuersOf(config),
    logger: revokerLogger,
    retiredKeysSeconds: retiredKeysSecondsOf(config),
  })
  const revoker = await startRevoker({ ...revokerOf(config), log, follower, verifier, logger: revokerLogger })
  const adapter = await startAdapter({ ...adapterOf(config), log, follower, logger })
  const adapterAdmin = await adapterAdminServer(config, adapter, follower, logger)
  const enforcer = await runEnforcer(config, [ownAdapter(config, adapter.port)])
  return {
    ready: enforcer.ready,
    stop: async () => {
      await enforcer.stop()
      await revoker.close()
      verifier.close()
      await adapter.close()
      await adapterAdmin.close()
      await follower.close()
      await log.close()
    },
  }
}

/** An enforcer alone, fed by adapters elsewhere. */
export async function runEnforcer(
  config: Config,
  adapters: readonly string[] = config.enforcer.adapters,
): Promise<Running> {
  const logger = loggerOf(config, 'enforcer')
  if (config.issuers.length === 0) logger.warn({}, 'no issuers are configured: every token is refused')
  for (const { issuer } of config.issuers.filter(({ audiences }) => audiences.length === 0)) {
    logger.warn(
      { issuer },
      'no audiences are configured: any token of this issuer is accepted, ID tokens too',
    )
  }
  const registry = new Registry()
  const verifier = createTokenVerifier({ issuers: issuersOf(config), logger })
  const enforcer = await startEnforcer({ ...enforcerOf(config), adapters, verifier, registry, logger })
  const admin = await enforcerAdminServer(config, enforcer, registry, logger)
  return {
    ready: enforcer.becameReady,
    stop: async () => {
      await enforcer.drain()
      await admin.close()
    },
  }
}

/** Where the enforcer of this process finds the adapter of this process. */
function ownAdapter(config: Config, port: number): string {
  const address = parseAddress(config.adapter.address)
  const host = address.kind === 'tcp' ? address.host : '127.0.0.1'
  const reachable = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ]).get(host)
  return formatAddress({ kind: 'tcp', host: reachable ?? host, port })
}

const loggerOf = (config: Config, component: string): Logger => createLogger({ ...config.log, component })

const progressMs = 1_000

function follow(log: EventLog, config: Config, logger: Logger): LogFollower {
  const { clockToleranceSeconds, maxClockDifferenceSeconds } = timesOf(config)
  let reportedAtMs = performance.now()
  const follower: LogFollower = followLog({
    log,
    graceSeconds: clockToleranceSeconds + maxClockDifferenceSeconds,
    onApplied: (entry, applied) => {
      if (follower.complete || applied.problem !== undefined) logApplied(logger, entry, applied)
    },
    onProgress: (position, end) => {
      if (follower.complete || performance.now() - reportedAtMs < progressMs) return
      reportedAtMs = performance.now()
      logger.info({ position, end }, `reading the event log: ${position} of ${end}`)
    },
    onError: error => logger.error({ err: error }, 'the event log cannot be read; trying again'),
    onFatal: error => {
      logger.fatal({ err: error }, 'following the event log has failed')
      process.exit(1)
    },
  })
  return follower
}

async function adapterAdminServer(config: Config, adapter: Adapter, follower: LogFollower, logger: Logger) {
  const registry = new Registry()
  const gauge = addGauge.bind(undefined, registry)
  gauge('rescind_adapter_version', 'Position in the event log that is served.', () => follower.state.position)
  gauge('rescind_adapter_revocations', 'Keys with live or restored revocations.', () => follower.state.size)
  gauge('rescind_adapter_nodes', 'Enforcers that are connected.', () => adapter.fleet.size)
  const admin = createAdminServer({
    address: config.adapter.adminAddress,
    setting: 'adapter.adminAddress',
    ready: adapter.ready,
    registry,
    logger,
  })
  admin.server.get('/nodes', async () => ({ version: follower.state.position, nodes: adapter.fleet.nodes() }))
  await admin.listen()
  return admin
}

async function enforcerAdminServer(config: Config, enforcer: Enforcer, registry: Registry, logger: Logger) {
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
