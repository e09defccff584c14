/**
 * Starts the parts of the product in this process.
 *
 * @module
 */
import { Registry } from 'prom-client'
import type { Adapter } from '../adapter/adapter.ts'
import { RescindError } from '../revocation/error.ts'
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import type { Config } from '../runtime/config/schema.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import { addTlsGauges } from '../runtime/tls/gauges.ts'
import { createTokenVerifier } from '../token/verifier.ts'
import { startAdapterAdmin, startEnforcerAdmin, startRevokerAdmin } from './admin-ports.ts'
import { administratorsOf } from './administrators.ts'
import { openClients } from './clients.ts'
import { confirmationOf } from './confirmation.ts'
import { openAdapterTls, openDiscoveryTls } from './discovery-tls.ts'
import { type OpenedLog, openLog } from './event-log.ts'
import { openGrants } from './grants.ts'
import { importersOf } from './importer-settings.ts'
import { openHttps, revokerOf } from './revoker-settings.ts'
import { adapterOf, enforcerOf, graceSecondsOf, issuersOf, retiredKeysSecondsOf } from './settings.ts'

/** Parts that can be run. */
export type Role = 'all' | 'revoker' | 'adapter' | 'enforcer'

/** Something that runs until it is stopped. */
export interface Running {
  /** Resolves when it does its work. */
  readonly ready: Promise<void>
  /** Lets what is under way end, then stops. */
  stop(): Promise<void>
}

/** Revoker, adapter and enforcer in one process, on one copy of the log's state. */
export async function runAll(config: Config): Promise<Running> {
  if (config.enforcer.discovery.protocol !== 'delta') {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      'enforcer.discovery.protocol: the enforcer of rescind all is fed by the adapter beside it; leave it out, or run: rescind enforcer',
    )
  }
  const log = await openLog(config, { writes: true, ...(await adapterUse(config)) })
  const adapter = await serveAdapter(config, log)
  const revoker = await serveRevoker(config, log, adapter.adapter)
  const enforcer = await runEnforcer(config, [ownAdapter(config, adapter.adapter.port)])
  return {
    ready: Promise.all([revoker.ready, enforcer.ready]).then(() => undefined),
    stop: async () => {
      await enforcer.stop()
      await revoker.stop()
      await adapter.stop()
      await log.close()
    },
  }
}

/** A revoker alone, on a log that others share. */
export async function runRevoker(config: Config): Promise<Running> {
  const log = await openLog(config, { writes: true, keeps: false, logger: loggerOf(config, 'revoker') })
  return stopWithLog(await serveRevoker(config, log), log)
}

/** An adapter alone, on a log that others share. */
export async function runAdapter(config: Config): Promise<Running> {
  const log = await openLog(config, { writes: false, ...(await adapterUse(config)) })
  return stopWithLog(await serveAdapter(config, log), log)
}

/** What an adapter does with the log, whoever else uses it. */
async function adapterUse(config: Config) {
  const { logRevoked } = await import('../adapter/adapter.ts')
  const logger = loggerOf(config, 'adapter')
  return { keeps: true, onRead: logRevoked.bind(undefined, logger), logger }
}

/** An enforcer alone, fed by adapters elsewhere. */
export async function runEnforcer(
  config: Config,
  adapters: readonly string[] = config.enforcer.adapters,
): Promise<Running> {
  const logger = loggerOf(config, 'enforcer')
  const discoveryTls = await openDiscoveryTls(config, logger)
  if (config.issuers.length === 0) logger.warn({}, 'no issuers are configured: every token is refused')
  for (const { issuer } of config.issuers.filter(({ audiences }) => audiences.length === 0)) {
    logger.warn(
      { issuer },
      'no audiences are configured: any token of this issuer is accepted, ID tokens too',
    )
  }
  const registry = new Registry()
  const verifier = createTokenVerifier({ issuers: issuersOf(config), logger })
  const { startEnforcer } = await import('../enforcer/enforcer.ts')
  const enforcer = await startEnforcer({
    ...enforcerOf(config),
    adapters,
    discoveryTls,
    verifier,
    registry,
    logger,
  })
  if (discoveryTls !== undefined) addTlsGauges(registry, 'enforcer', discoveryTls.files)
  const admin = await startEnforcerAdmin(config, enforcer, registry, logger)
  return {
    ready: enforcer.becameReady,
    stop: async () => {
      await enforcer.drain()
      discoveryTls?.files.close()
      await admin.close()
    },
  }
}

/** Listens at once; enforcers are served when the log was read to its end. */
async function serveAdapter(config: Config, { follower, deadLetters, checkpoint }: OpenedLog) {
  const logger = loggerOf(config, 'adapter')
  const { startAdapter } = await import('../adapter/adapter.ts')
  const tls = await openAdapterTls(config, logger)
  const adapter = await startAdapter({ ...adapterOf(config), tls, follower, texts: checkpoint, logger })
  const admin = await startAdapterAdmin(config, { adapter, tls, follower, deadLetters, logger })
  return {
    adapter,
    ready: follower.caughtUp,
    stop: async () => {
      await adapter.close()
      tls?.close()
      await admin.close()
    },
  }
}

/** Takes revocations when the log was read to its end; its admin port listens at once. */
async function serveRevoker(config: Config, opened: OpenedLog, adapter?: Adapter): Promise<Running> {
  const logger = loggerOf(config, 'revoker')
  const { log, codec, follower, deadLetters } = opened
  const registry = new Registry()
  const verifier = createTokenVerifier({
    issuers: issuersOf(config),
    logger,
    retiredKeysSeconds: retiredKeysSecondsOf(config),
  })
  const administrators = administratorsOf(config, logger)
  let isReady = false
  const admin = await startRevokerAdmin(config, { ready: () => isReady, deadLetters, registry, logger })
  const grants = await openGrants(config, registry, logger)
  const { startRevoker } = await import('../revoker/revoker.ts')
  const { clients, close: closeClients } = await openClients(config, logger)
  const https = await openHttps(config, logger)
  if (https !== undefined) addTlsGauges(registry, 'revoker', https.files)
  const revoker = await startRevoker({
    ...revokerOf(config),
    administrators: administrators.credentials,
    clients,
    grants,
    https,
    registry,
    confirmation: confirmationOf(config, adapter),
    log,
    codec,
    follower,
    verifier,
    deadLetters,
    logger,
  })
  const { startImporters } = await import('../revoker/importers.ts')
  const importers = startImporters({
    ...importersOf(config),
    tokens: revoker.tokens,
    publish: revoker.publisher.publish,
    deadLetters,
    registry,
    logger,
    nowSeconds: () => Date.now() / 1000,
    graceSeconds: graceSecondsOf(config),
    longestTokenSeconds: () => follower.state.lifetimes.seconds + graceSecondsOf(config),
  })
  isReady = true
  return {
    ready: Promise.resolve(),
    stop: async () => {
      await importers.close()
      await revoker.close()
      administrators.close()
      await grants?.store.close()
      https?.files.close()
      closeClients()
      verifier.close()
      await admin.close()
    },
  }
}

const stopWithLog = ({ ready, stop }: Running, log: OpenedLog): Running => ({
  ready,
  stop: async () => {
    await stop()
    await log.close()
  },
})

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
