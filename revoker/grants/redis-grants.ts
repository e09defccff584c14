/**
 * Grants in Redis, for any number of revokers. Redis itself removes what has expired.
 *
 * `{prefix}:grant:<id>` is a hash: owner (issuer and client), subject, scopes, revoked, until (when it expires, seconds), and
 * each token under the 16 bytes of its fingerprint. `{prefix}:token:<fingerprint>` is the id of the grant. Ids are base64url.
 * The prefix is a hash tag, so that all of it lies in one slot of a cluster.
 *
 * @module
 */
import type { Redis } from 'ioredis'
import { type ConnectOptions, connectRedis } from '../../event-log/redis/connection.ts'
import { keepConnected } from '../../event-log/redis/link.ts'
import { isRefusal, leave } from '../../event-log/redis/refusal.ts'
import { RescindError } from '../../revocation/error.ts'
import { describeRedis } from '../../runtime/config/redis-url.ts'
import type { Logger } from '../../runtime/logger.ts'
import { decodeToken, encodeToken } from './grant-records.ts'
import {
  type FoundToken,
  type Grant,
  type GrantReport,
  type GrantStore,
  type GrantStoreTimes,
  grantTokensLimit,
  idBytes,
  type ReportOutcome,
  type StoredToken,
} from './grant-store.ts'
import { addScript, revokeScript } from './redis-scripts.ts'

/** Which Redis, and how. */
export interface RedisGrantsOptions extends GrantStoreTimes, Omit<ConnectOptions, 'silenceMs' | 'key'> {
  readonly prefix: string
  readonly logger: Logger
}

/** A connection that owes an answer for so long is dead. */
const silenceMs = 5_000

/** Opens the store. It opens also while Redis cannot be reached; everything then fails until it can. */
export async function openRedisGrants(options: RedisGrantsOptions): Promise<GrantStore> {
  const { setting, prefix, url, logger, graceSeconds, nowSeconds } = options
  const keyOf = (kind: 'grant' | 'token', id: Buffer): string =>
    `{${prefix}}:${kind}:${id.toString('base64url')}`
  const link = keepConnected({
    connect: stop => connectRedis({ ...options, silenceMs, key: keyOf('grant', Buffer.alloc(0)) }, stop),
    server: describeRedis(url),
    what: 'the Redis of the grants',
    setting,
    logger,
    onConnected: () => undefined,
  })
  /** Whatever has expired since then is forgotten. */
  const expiredAt = (): number => Math.floor(nowSeconds() - graceSeconds)
  const isLive = ({ expiresAt }: StoredToken): boolean => expiresAt > expiredAt()

  const ask = async <Answer>(question: (client: Redis) => Promise<Answer>): Promise<Answer> => {
    const client = link.client()
    try {
      return await question(client)
    } catch (error) {
      if (isRefusal(error)) leave(client, error)
      throw error
    }
  }
  const orUnavailable = (error: Error): never => {
    // The library's errors hold what was sent.
    const problem = error instanceof RescindError ? error.message : `${setting}: ${error.message}`
    throw new RescindError('ERR_GRANTS_UNAVAILABLE', problem)
  }

  const readFound = async (client: Redis, grantId: Buffer, fingerprint: Buffer) => {
    const fields = ['owner', 'subject', 'scopes', fingerprint]
    const [owner, subject, scopes, token] = await client.hmgetBuffer(keyOf('grant', grantId), ...fields)
    if (!owner || !token) return undefined
    const found = { grantId, grant: grantOf(owner, subject, scopes), fingerprint, token: decodeToken(token) }
    return isLive(found.token) ? found : undefined
  }

  const find = async (client: Redis, fingerprints: readonly Buffer[]): Promise<FoundToken | undefined> => {
    const ids = await client.mget(...fingerprints.map(fingerprint => keyOf('token', fingerprint)))
    for (const [index, id] of ids.entries()) {
      const grantId = Buffer.from(id ?? '', 'base64url')
      const found = id && (await readFound(client, grantId, fingerprints[index] as Buffer))
      if (found) return found
    }
    return undefined
  }

  const add = async (client: Redis, { grantId, grant, tokens }: GrantReport): Promise<ReportOutcome> => {
    const keys = [keyOf('grant', grantId), ...tokens.map(({ fingerprint }) => keyOf('token', fingerprint))]
    const args = [
      grantId.toString('base64url'),
      ...[
        ownerOf(grant),
        grant.subject ?? '',
        grant.scopes === undefined ? '' : JSON.stringify(grant.scopes),
      ],
      ...[expiredAt(), Math.ceil(graceSeconds), grantTokensLimit],
      ...tokens.flatMap(({ fingerprint, token }) => [fingerprint, encodeToken(token)]),
    ]
    return (await client.eval(addScript, keys.length, ...keys, ...args)) as ReportOutcome
  }

  const revoke = async (client: Redis, { grantId, grant }: FoundToken, until: number) => {
    const args = [ownerOf(grant), Math.ceil(until)]
    const fields = (await client.callBuffer(
      'EVAL',
      ...[revokeScript, 1, keyOf('grant', grantId), ...args],
    )) as Buffer[]
    const isToken = (_: Buffer, at: number) => at % 2 === 1 && fields[at - 1]?.length === idBytes
    return fields.filter(isToken).map(decodeToken).filter(isLive)
  }

  await link.attempted
  return {
    find: fingerprints => ask(client => find(client, fingerprints)).catch(orUnavailable),
    add: report => ask(client => add(client, report)).catch(orUnavailable),
    revoke: (found, until) => ask(client => revoke(client, found, until)).catch(orUnavailable),
    close: () => link.close(),
  }
}

const ownerOf = ({ issuer, clientId }: Grant): string => JSON.stringify([issuer, clientId])

function grantOf(owner: Buffer, subject?: Buffer | null, scopes?: Buffer | null): Grant {
  const [issuer, clientId] = JSON.parse(owner.toString()) as [string, string]
  return {
    issuer,
    clientId,
    ...(subject ? { subject: subject.toString() } : {}),
    ...(scopes ? { scopes: JSON.parse(scopes.toString()) as string[] } : {}),
  }
}
