/**
 * `rescind all | enforcer | revoker | adapter`: runs until a signal.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { parseDurationMs } from '../../runtime/config/duration.ts'
import { loadConfig } from '../../runtime/config/load.ts'
import type { Config } from '../../runtime/config/schema.ts'
import { createLogger } from '../../runtime/logger.ts'
import { onShutdown } from '../../runtime/shutdown.ts'
import { checkOwnDiscovery } from '../discovery-tls.ts'
import { exposureWarnings } from '../exposure.ts'
import { type Role, type Running, runAdapter, runAll, runEnforcer, runRevoker } from '../roles.ts'

/** Time beyond the drain delay after which a stop gives up. */
const stopLimitMs = 15_000

/**
 * Runs a part.
 *
 * @throws RescindError for what a person can put right: configuration, addresses, folders.
 */
export async function run(role: Role, file: string | undefined): Promise<void> {
  const { config, warnings } = loadConfig({ ...(file === undefined ? {} : { file }), env: process.env })
  const logger = createLogger({ ...config.log, component: role })
  for (const warning of [...warnings, ...exposureWarnings(role, config)]) logger.warn({}, warning)
  const running = await start(role, config)
  onShutdown(running.stop, {
    logger,
    limitMs: parseDurationMs(config.enforcer.drainDelay) + stopLimitMs,
  })
  await running.ready
  logger.info({ role }, 'ready')
}

function start(role: Role, config: Config): Promise<Running> {
  if (role === 'all') {
    checkOwnDiscovery(config)
    return runAll(config)
  }
  if (role === 'enforcer') return runEnforcer(config)
  if (config.eventLog.driver === 'embedded') {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      'eventLog.driver: the embedded log serves one process; run revoker and adapter together with: rescind all, or share a log (redis, kafka)',
    )
  }
  return role === 'revoker' ? runRevoker(config) : runAdapter(config)
}
