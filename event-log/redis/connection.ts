/**
 * Connects to the Redis that holds the log: the server itself, the master that the sentinels name, or the master of
 * the cluster slot. A connection lives once: nothing is ever sent again by the library, and whoever loses it connects
 * anew, which also finds the master of then.
 *
 * @module
 */
import { Redis, type RedisOptions } from 'ioredis'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { formatNode, type RedisNode, type RedisUrl } from '../../runtime/config/redis-url.ts'
import { isRefusal, unreachable } from './refusal.ts'

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
  /** A key of the log: in a cluster it decides which node is meant. */
  readonly key: string
}

const connectTimeoutMs = 3_000
const disconnectTimeoutMs = 500
const movesLimit = 5

/**
 * Connects, and resolves when commands are taken.
 *
 * @param stop ends the connection, whenever it aborts.
 * @throws RescindError ERR_LOG_UNREACHABLE
 */
export async function connectRedis(options: ConnectOptions, stop: AbortSignal): Promise<Redis> {
  const { url } = options
  if (url.kind === 'standalone') return open(options, { ...url.nodes[0] }, stop)
  if (url.kind === 'sentinel') return open(options, bySentinels(options), stop)
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

function common(options: ConnectOptions): RedisOptions {
  const { url, username = url.username, password, tls, silenceMs } = options
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(url.tls ? { tls: { ...tls } } : {}),
    db: url.db,
    protocol: 2,
    connectionName: 'rescind',
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    socketTimeout: silenceMs,
    maxLoadingRetryTime: 250,
    retryStrategy: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  }
}

function bySentinels({ url, sentinelPassword, tls }: ConnectOptions): RedisOptions {
  return {
    sentinels: [...url.nodes],
    name: url.masterName,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: connectTimeoutMs,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(url.tls ? { enableTLSForSentinelMode: true, sentinelTLS: { ...tls } } : {}),
  }
}

async function open(options: ConnectOptions, where: RedisOptions, stop: AbortSignal): Promise<Redis> {
  const { setting } = options
  if (stop.aborted) throw unreachable('it is closed', setting)
  const client = new Redis({ ...common(options), ...where, replyMapping: 'legacy' })
  let reason: string | undefined
  client.on('error', (error: Error & { command?: { name: string } }) => {
    reason ??= error.message
    // The library would go on in database 0.
    if (error.command?.name === 'select') client.disconnect()
  })
  const end = () => client.disconnect()
  stop.addEventListener('abort', end, { once: true })
  client.once('end', () => stop.removeEventListener('abort', end))
  try {
    await client.connect()
  } catch (error) {
    if (client.status !== 'end') client.disconnect()
    throw unreachable(reason ?? (error as Error).message, setting)
  }
  if (stop.aborted) client.disconnect()
  return client
}

/** Any node says `MOVED slot host:port` when asked about a key of another one. */
async function openSlotMaster(options: ConnectOptions, first: RedisNode, stop: AbortSignal): Promise<Redis> {
  let node = first
  for (let moves = 0; moves <= movesLimit; moves += 1) {
    const client = await open(options, { ...node }, stop)
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
