/**
 * Opens the store of the token registry that is configured.
 *
 * @module
 */
import type { Registry } from 'prom-client'
import type { GrantStore } from '../revoker/grants/grant-store.ts'
import type { RevokerOptions } from '../revoker/options.ts'
import { readClientTls } from '../runtime/client-tls.ts'
import { parseRedisUrl } from '../runtime/config/redis-url.ts'
import type { Config } from '../runtime/config/schema.ts'
import { addGauge } from '../runtime/gauge.ts'
import type { Logger } from '../runtime/logger.ts'
import { graceSecondsOf } from './settings.ts'

/**
 * Opens the store; undefined where none is configured.
 *
 * @throws RescindError for what a person can put right: the folder, the TLS files.
 */
export async function openGrants(
  config: Config,
  registry: Registry,
  logger: Logger,
): Promise<RevokerOptions['grants']> {
  const store = await openStore(config, logger)
  if (store === undefined) return undefined
  if (store.size !== undefined)
    addGauge(registry, 'rescind_revoker_grants', 'Grants in the token registry.', store.size)
  return { store, feeders: config.revoker.grants.feeders }
}

async function openStore(config: Config, logger: Logger): Promise<GrantStore | undefined> {
  const { store, folder, redis } = config.revoker.grants
  const times = { graceSeconds: graceSecondsOf(config), nowSeconds: () => Date.now() / 1000 }
  if (store === 'lmdb') {
    const { openLmdbGrants } = await import('../revoker/grants/lmdb-grants.ts')
    return openLmdbGrants({ folder, logger, ...times })
  }
  if (store === 'none') return undefined
  const { openRedisGrants } = await import('../revoker/grants/redis-grants.ts')
  const setting = 'revoker.grants.redis'
  const { url, tls, ...rest } = redis
  return openRedisGrants({
    ...rest,
    setting,
    url: parseRedisUrl(url, setting),
    tls: readClientTls(tls, `${setting}.tls`),
    logger,
    ...times,
  })
}
