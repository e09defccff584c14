/**
 * Stores of grants for tests, and what is put into them.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { GrantReport, GrantStore, StoredToken } from '../../revoker/grants/grant-store.ts'
import { openLmdbGrants } from '../../revoker/grants/lmdb-grants.ts'
import { openRedisGrants, type RedisGrantsOptions } from '../../revoker/grants/redis-grants.ts'
import { parseRedisUrl } from '../../runtime/config/redis-url.ts'
import { newFolder } from './embedded-log.ts'
import { createKeptLogger } from './kept-logger.ts'
import { type RunningRedis, startRedis } from './redis.ts'

/** A store that a test owns. */
export interface GrantStoreUnderTest {
  readonly store: GrantStore
  /** Closes it and opens it again, as a process that starts anew. */
  reopen(): Promise<GrantStore>
  /** Closes it and removes what it holds. */
  destroy(): Promise<void>
}

/** The wall clock, seconds. */
export const nowSeconds = (): number => Date.now() / 1_000

const times = { graceSeconds: 0, nowSeconds }

/** Opens a store in a folder. */
export const openGrantsIn = (folder: string): Promise<GrantStore> =>
  openLmdbGrants({ folder, logger: createKeptLogger().logger, ...times })

/** Opens a store in a Redis. */
export const openGrantsAt = (url: string, changes: Partial<RedisGrantsOptions> = {}): Promise<GrantStore> =>
  openRedisGrants({
    setting: 'revoker.grants.redis',
    url: parseRedisUrl(url),
    prefix: 'rescind-grants',
    logger: createKeptLogger().logger,
    ...times,
    ...changes,
  })

/** A store in LMDB, in a folder of its own. */
export async function createLmdbUnderTest(): Promise<GrantStoreUnderTest> {
  const folder = await newFolder()
  const remove = () => rm(folder, { recursive: true, force: true })
  return underTest(() => openGrantsIn(folder), remove)
}

/** A store in a Redis of its own. */
export async function createRedisUnderTest(): Promise<
  GrantStoreUnderTest & { readonly redis: RunningRedis }
> {
  const redis = await startRedis()
  return Object.assign(await underTest(() => openGrantsAt(redis.url), redis.stop), { redis })
}

async function underTest(
  open: () => Promise<GrantStore>,
  remove: () => Promise<void>,
): Promise<GrantStoreUnderTest> {
  let store = await open()
  return {
    get store() {
      return store
    },
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    destroy: async () => {
      await store.close()
      await remove()
    },
  }
}

/** The id of a grant or token, by a name. */
export const idOf = (name: string): Buffer => createHash('sha256').update(name).digest().subarray(0, 16)

/** A token as it is reported: an access token by its jti unless something else is said. */
export const reportedToken = (name: string, changes: Partial<StoredToken> = {}) => {
  const expiresAt = Math.floor(nowSeconds()) + 3_600
  const token: StoredToken = { form: 'jti', name, expiresAt, sealed: Buffer.alloc(0), ...changes }
  return { fingerprint: idOf(name), token }
}

/** A report of a grant, by its name and the tokens in it. */
export const grantReport = (
  name: string,
  tokens: GrantReport['tokens'],
  changes: Partial<GrantReport['grant']> = {},
): GrantReport => ({
  grantId: idOf(name),
  grant: { issuer: 'https://idp.example.com', clientId: 'shop', ...changes },
  tokens,
})
