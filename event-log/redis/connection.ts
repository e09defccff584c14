/**
 * Connects to the Redis that holds the log, or an inbox: the server itself, the master that the sentinels name, or the
 * master of the cluster slot, never a replica. Whoever loses a connection connects anew, which also finds the master of
 * then.
 *
 * @module
 */
import type { Redis, RedisOptions } from 'ioredis'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { formatNode, type RedisNode, type RedisUrl } from '../../runtime/config/redis-url.ts'
import { openClient } from './client.ts'
import { isRefusal, unreachable } from './refusal.ts'
import { findMaster, leaveWithMaster } from './sentinels.ts'
import { readServerInfo } from './server-info.ts'

/** How to connect. */
export interface ConnectOptions {
  /** The section of the settings, for errors. */
  readonly setting: string
  readonly url: RedisUrl
  readonly username?: string
  readonly password?: string
  readonly sentinelPassword?: string
  readonly tls?: ClientTlsOptions
  /** A connection that owes an answer and is silent for so long is given up. */
  readonly silenceMs: number
  /** A key that is used: in a cluster it decides which node is meant. */
  readonly key: string
}

const movesLimit = 5

/**
 * Connects, and resolves when commands are taken.
 *
 * @param stop ends the connection, whenever it aborts.
 * @throws RescindError ERR_LOG_UNREACHABLE
 */
export async function connectRedis(options: ConnectOptions, stop: AbortSignal): Promise<Redis> {
  const { url, setting } = options
  const [first] = url.nodes
  if (url.kind === 'standalone') return refuseReplica(await open(options, first as RedisNode, stop), setting)
  if (url.kind === 'sentinel') return openNamedMaster(options, stop)
  let failure: unknown
  for (const node of url.nodes) {
    try {
      return await openSlotMaster(options, node, stop)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** The address of the server at the other end, for people. */
export const addressOf = ({ stream }: Redis): string =>
  'remoteAddress' in stream && stream.remoteAddress !== undefined
    ? formatNode({ host: stream.remoteAddress, port: Number(stream.remotePort) })
    : 'unknown'

function settingsOf(options: ConnectOptions): RedisOptions {
  const { url, username = url.username, password, tls, silenceMs } = options
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(url.tls ? { tls: { ...tls } } : {}),
    db: url.db,
    connectionName: 'rescind',
    socketTimeout: silenceMs,
  }
}

const open = (options: ConnectOptions, node: RedisNode, stop: AbortSignal): Promise<Redis> =>
  openClient({ ...settingsOf(options), ...node }, options.setting, stop)

/** A server that was a master before, and that somebody still takes for one, would show the log as it was then. */
async function refuseReplica(client: Redis, setting: string): Promise<Redis> {
  const { role } = await readServerInfo(client).catch(() => {
    throw unreachable('the connection broke', setting)
  })
  if (role !== 'slave') return client
  const address = addressOf(client)
  client.disconnect()
  throw unreachable(`${address} is a replica; name its master`, setting)
}

async function openNamedMaster(options: ConnectOptions, stop: AbortSignal): Promise<Redis> {
  const master = await findMaster(options, stop)
  const client = await refuseReplica(await open(options, master, stop), options.setting)
  leaveWithMaster(client, master, options)
  return client
}

/** Any node says `MOVED slot host:port` when asked about a key of another one. */
async function openSlotMaster(options: ConnectOptions, first: RedisNode, stop: AbortSignal): Promise<Redis> {
  let node = first
  for (let moves = 0; moves <= movesLimit; moves += 1) {
    const client = await open(options, node, stop)
    const moved = await askForKey(client, options, node)
    if (moved === undefined) return client
    client.disconnect()
    node = moved
  }
  throw unreachable(`the cluster moves ${options.key} in a circle`, options.setting)
}

async function askForKey(
  client: Redis,
  { key, setting }: ConnectOptions,
  asked: RedisNode,
): Promise<RedisNode | undefined> {
  try {
    await client.exists(key)
    return undefined
  } catch (error) {
    const [, host, port] = isRefusal(error) ? (/^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? []) : []
    if (port !== undefined) return { host: host && host !== '?' ? host : asked.host, port: Number(port) }
    client.disconnect()
    throw unreachable((error as Error).message, setting)
  }
}
