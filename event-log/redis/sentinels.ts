/**
 * Which server the sentinels name as the master, and whether they go on naming it: a master that is cut off from them does
 * not know that another one has taken its place.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Redis, RedisOptions } from 'ioredis'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { formatNode, type RedisNode, type RedisUrl } from '../../runtime/config/redis-url.ts'
import { connectTimeoutMs, openClient } from './client.ts'
import { unreachable } from './refusal.ts'

/** Which sentinels, and how to speak to them. */
export interface SentinelOptions {
  /** The section of the settings, for errors. */
  readonly setting: string
  readonly url: RedisUrl
  readonly sentinelPassword?: string
  readonly tls?: ClientTlsOptions
}

/** Between two questions to the sentinels, milliseconds. */
const lookMs = 10_000

/**
 * The master by the first sentinel that answers.
 *
 * @throws RescindError ERR_LOG_UNREACHABLE when none names one.
 */
export async function findMaster(options: SentinelOptions, stop: AbortSignal): Promise<RedisNode> {
  const { url, setting } = options
  let failure: unknown = unreachable(`the sentinels know no master ${url.masterName}`, setting)
  for (const node of url.nodes) {
    try {
      const master = await askSentinel(options, node, stop)
      if (master !== undefined) return master
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Ends the connection to a master when the sentinels name another one. */
export function leaveWithMaster(client: Redis, master: RedisNode, options: SentinelOptions): void {
  const ended = new AbortController()
  client.once('end', () => ended.abort())
  if (client.status === 'end') return
  const { signal } = ended
  const look = async () => {
    while (!signal.aborted) {
      await pause(lookMs, undefined, { signal })
      // Sentinels that do not answer say nothing against it.
      const named = await findMaster(options, signal).catch(() => master)
      if (formatNode(named) !== formatNode(master)) client.disconnect()
    }
  }
  // The pause was cut short: the connection has ended.
  look().catch(() => undefined)
}

async function askSentinel(
  { url, sentinelPassword, tls, setting }: SentinelOptions,
  node: RedisNode,
  stop: AbortSignal,
): Promise<RedisNode | undefined> {
  const how: RedisOptions = {
    ...node,
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(url.tls ? { tls: { ...tls } } : {}),
    commandTimeout: connectTimeoutMs,
    enableReadyCheck: false,
  }
  const client = await openClient(how, setting, stop)
  try {
    const reply = await client.call('SENTINEL', 'get-master-addr-by-name', url.masterName as string)
    const [host, port] = (reply ?? []) as string[]
    return host === undefined ? undefined : { host, port: Number(port) }
  } catch (error) {
    throw unreachable(`the sentinel ${formatNode(node)}: ${(error as Error).message}`, setting)
  } finally {
    client.disconnect()
  }
}
