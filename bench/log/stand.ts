/**
 * Revoker and adapter on a log that is filled, as processes of their own; with the embedded log one `rescind all`.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import type { Role } from '../../cli/roles.ts'
import type { TokenMint } from '../../test/chaos/tokens.ts'
import { type Child, startChild } from '../../test/support/child.ts'
import { until } from '../../test/support/condition.ts'
import { testAudience } from '../../test/support/issuer.ts'
import { freePort } from '../../test/support/ports.ts'
import { projectRoot } from '../../test/support/project.ts'
import { testClient } from '../../test/support/stack.ts'
import { hashSecret } from '../../token/secret.ts'
import type { LoopDelay } from './loop-delay.ts'
import { configOf, type LogPlace } from './place.ts'

/** What runs. */
export interface Stand {
  readonly revokerPort: number
  readonly adapterPort: number
  /** How long the adapter's event loop was held up since this was asked last. */
  loopDelay(): Promise<LoopDelay>
  stop(): Promise<void>
}

/** What is to run. */
export interface StandOptions {
  readonly place: LogPlace
  readonly mint: TokenMint
  /** For configurations and what is logged. */
  readonly folder: string
  /** Whether the adapter keeps a checkpoint. */
  readonly dataFolder: boolean
}

/** Reading a log of millions takes a while. */
const readyTimeoutMs = 600_000

const built = (path: string): string => join(projectRoot, 'dist', path)

/** Starts revoker and adapter; resolves when both have read the log. */
export async function startStand(options: StandOptions): Promise<Stand> {
  const { place, folder } = options
  const ports = { revoker: await freePort(), adapter: await freePort() }
  const adminPorts = { revoker: await freePort(), adapter: await freePort() }
  const address = (port: number) => `127.0.0.1:${port}`
  const config = {
    log: { format: 'json' },
    issuers: [{ issuer: options.mint.issuer, jwksUri: options.mint.jwksUri, audiences: [testAudience] }],
    eventLog: configOf(place),
    revoker: {
      address: address(ports.revoker),
      adminAddress: address(adminPorts.revoker),
      clients: [
        {
          id: testClient.id,
          secretHash: await hashSecret(testClient.secret),
          issuer: options.mint.issuer,
        },
      ],
    },
    adapter: {
      address: address(ports.adapter),
      adminAddress: address(adminPorts.adapter),
      ...(options.dataFolder ? { dataFolder: join(folder, `${place.driver}-data`) } : {}),
    },
    enforcer: { address: address(0), adminAddress: address(0), drainDelay: '0s' },
  }
  const configFile = join(folder, `${place.driver}.yaml`)
  writeFileSync(configFile, stringify(config))

  const children: Child[] = []
  const stop = async () => {
    for (const child of children.reverse()) await child.stop()
  }
  const start = async (role: Role, admin: readonly number[]): Promise<RunningPart> => {
    const part = await startPart(role, configFile, join(folder, `${place.driver}-${role}`))
    children.push(part.child)
    await untilReady(role, part, admin)
    return part
  }
  try {
    const isShared = place.driver !== 'embedded'
    const adapter = isShared
      ? await start('adapter', [adminPorts.adapter])
      : await start('all', [adminPorts.adapter, adminPorts.revoker])
    if (isShared) await start('revoker', [adminPorts.revoker])
    return {
      revokerPort: ports.revoker,
      adapterPort: ports.adapter,
      loopDelay: () => askLoopDelay(adapter),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface RunningPart {
  readonly child: Child
  readonly logFile: string
  readonly delayFile: string
}

/** What it logs goes to a file, as elsewhere to a collector: this process is to measure and not to read. */
async function startPart(role: Role, configFile: string, name: string): Promise<RunningPart> {
  const [logFile, delayFile] = [`${name}.log`, `${name}.delay`]
  writeFileSync(delayFile, JSON.stringify({ number: 0 }))
  const preload = pathToFileURL(built('bench/log/loop-delay.js')).href
  const command = [process.execPath, '--import', preload, built('cli/main.js'), role, '--config', configFile]
  const child = await startChild('sh', ['-c', 'exec "$@" >>"$0" 2>&1', logFile, ...command], {
    env: { BENCH_LOOP_DELAY_FILE: delayFile },
  })
  return { child, logFile, delayFile }
}

async function untilReady(role: Role, part: RunningPart, adminPorts: readonly number[]): Promise<void> {
  const isReady = async (port: number) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200
  await until(`${role} is ready`, async () => (await Promise.all(adminPorts.map(isReady))).every(Boolean), {
    timeoutMs: readyTimeoutMs,
    giveUp: () => (part.child.exitCode === undefined ? undefined : readFileSync(part.logFile, 'utf8')),
  })
}

async function askLoopDelay({ child, delayFile }: RunningPart): Promise<LoopDelay> {
  const read = (): LoopDelay => JSON.parse(readFileSync(delayFile, 'utf8'))
  const { number } = read()
  process.kill(child.pid, 'SIGUSR2')
  return until('the loop delay was told', () => {
    const delay = read()
    return delay.number > number ? delay : undefined
  })
}
