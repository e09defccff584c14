/**
 * An adapter on a log, to which revocations are appended directly, and clients of both protocols.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAdapter } from '../../adapter/adapter.ts'
import { openLog } from '../../cli/event-log.ts'
import { adapterOf } from '../../cli/settings.ts'
import { startDiscoveryClient } from '../../enforcer/discovery/client.ts'
import { createDeltaFeed } from '../../enforcer/discovery/delta-feed.ts'
import { createGrpcStreams } from '../../enforcer/discovery/grpc-streams.ts'
import { Subscription } from '../../enforcer/discovery/subscription.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import { loadConfig } from '../../runtime/config/load.ts'
import {
  type ChoreoConnectEnforcer,
  type ChoreoConnectEnforcerOptions,
  startChoreoConnectEnforcer,
} from '../support/choreo-connect-enforcer.ts'
import { until } from '../support/condition.ts'
import { tableRejects } from '../support/decide.ts'
import { startPart } from '../support/part.ts'
import { freePort } from '../support/ports.ts'
import { createErrorLogger } from '../support/published-log.ts'
import { startRedis } from '../support/redis.ts'
import { openLog as openRedisLog } from '../support/redis-log.ts'
import { block, bytesOf, token } from '../support/revocations.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

/** Which log the adapter reads. */
export type CompatLog = 'embedded' | 'redis'

/** A client that should learn of every revocation. */
export interface CompatClient {
  readonly protocol: 'sotw' | 'delta'
  has(jti: string): boolean
  close(): Promise<void>
}

/** An adapter, and what can be done to it. */
export interface CompatWorld {
  /** Where the adapter listens. */
  readonly port: number
  /** Revokes tokens: resolves when they are stored. */
  revoke(jtis: readonly string[]): Promise<void>
  /** SIGKILL of the adapter; only where it is a process of its own (Redis). */
  kill(): Promise<void>
  startAgain(): Promise<void>
  /** Cuts the adapter's connection to the log; only with Redis. */
  cutLog(): Promise<void>
  restoreLog(): Promise<void>
  stop(): Promise<void>
}

const issuer = 'https://issuer.example'
const livesSeconds = 3_600
const appendAtOnce = 1_000

const revocationOf = (jti: string, index: number) =>
  bytesOf(
    block(
      index % 2 === 0 ? { jti } : { iss: issuer, jti },
      Math.floor(Date.now() / 1_000) + livesSeconds,
      randomBytes(16).toString('hex'),
    ),
  )

async function append(log: EventLog, jtis: readonly string[]): Promise<void> {
  for (let at = 0; at < jtis.length; at += appendAtOnce) {
    await log.appendAll(jtis.slice(at, at + appendAtOnce).map(revocationOf))
  }
}

/** Starts an adapter on a new log. */
export const startCompatWorld = (log: CompatLog): Promise<CompatWorld> =>
  log === 'embedded' ? startEmbedded() : startOnRedis()

/** The parts in this process, put together as the command does it. */
async function startEmbedded(): Promise<CompatWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-compat-'))
  const { config } = loadConfig({
    env: {
      RESCIND_EVENT_LOG_FOLDER: join(folder, 'log'),
      RESCIND_ADAPTER_DATA_FOLDER: join(folder, 'adapter'),
      RESCIND_ADAPTER_ADDRESS: '127.0.0.1:0',
    },
  })
  const { logger } = createErrorLogger()
  const opened = await openLog(config, { writes: true, keeps: true, logger })
  // An adapter is not ready before a log was begun.
  await append(opened.log, ['the first'])
  await opened.follower.caughtUp
  const { follower, checkpoint } = opened
  const adapter = await startAdapter({ ...adapterOf(config), follower, texts: checkpoint, logger })
  const impossible = () => Promise.reject(new Error('not with the embedded log'))
  return {
    port: adapter.port,
    revoke: jtis => append(opened.log, jtis),
    kill: impossible,
    startAgain: impossible,
    cutLog: impossible,
    restoreLog: impossible,
    stop: async () => {
      await adapter.close()
      await opened.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The adapter as a process of its own, and a proxy between it and the log. */
async function startOnRedis(): Promise<CompatWorld> {
  const ends: (() => unknown)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-compat-'))
    ends.push(() => rmSync(folder, { recursive: true, force: true }))
    const redis = await startRedis({ persistence: 'everysec' })
    ends.push(redis.stop)
    const way = await startTcpProxy(redis.port)
    ends.push(way.stop)
    const { log } = await openRedisLog({ url: redis.url })
    ends.push(log.close)
    // An adapter is not ready before a log was begun.
    await append(log, ['the first'])
    const port = await freePort()
    const adapter = await startPart('adapter', {
      config: {
        log: { format: 'json' },
        eventLog: { driver: 'redis', redis: { url: `redis://127.0.0.1:${way.port}` } },
        adapter: {
          address: `127.0.0.1:${port}`,
          adminAddress: '127.0.0.1:0',
          dataFolder: join(folder, 'adapter'),
        },
      },
    })
    ends.push(() => adapter.end('SIGKILL'))
    return {
      port,
      revoke: jtis => append(log, jtis),
      kill: () => adapter.end('SIGKILL'),
      startAgain: () => adapter.startAgain(),
      cutLog: way.cut,
      restoreLog: way.restore,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A client as Choreo Connect's enforcer; resolves when it has its first answer. */
export async function startSotwClient(
  port: number,
  options: ChoreoConnectEnforcerOptions = {},
): Promise<CompatClient & { readonly enforcer: ChoreoConnectEnforcer }> {
  const enforcer = startChoreoConnectEnforcer(port, options)
  await until('the adapter answers', () => enforcer.pushes > 0)
  return {
    protocol: 'sotw',
    enforcer,
    has: jti => enforcer.tokens.has(jti),
    close: async () => enforcer.close(),
  }
}

/** A client as our enforcer; resolves when it is ready. */
export async function startDeltaClient(port: number): Promise<CompatClient> {
  const subscription = new Subscription({
    label: 'label',
    instance: `delta-${randomBytes(4).toString('hex')}`,
    revocationsLimit: 1_000_000,
  })
  const feed = createDeltaFeed(subscription)
  const client = startDiscoveryClient({
    adapters: [`127.0.0.1:${port}`],
    feed,
    transport: createGrpcStreams(feed.protocol, undefined),
    logger: createErrorLogger().logger,
    onReceived: () => undefined,
  })
  const { snapshot } = subscription
  await until('the client is ready', () => subscription.notReadyReasons().length === 0)
  return {
    protocol: 'delta',
    has: jti =>
      tableRejects(
        snapshot.table,
        snapshot.claimSets,
        token({ iss: issuer, jti }, Date.now() / 1_000),
        Date.now() / 1_000,
      ),
    close: client.close,
  }
}
