/**
 * A revoker on an empty log, with an adapter and three enforcers, each a process of its own; with the embedded log revoker,
 * adapter and one of the enforcers are one. The process of the revoker has a core of its own.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Role } from '../../cli/roles.ts'
import type { TokenMint } from '../../test/chaos/tokens.ts'
import { type Child, startChild } from '../../test/support/child.ts'
import { until } from '../../test/support/condition.ts'
import { testAudience } from '../../test/support/issuer.ts'
import { freePort } from '../../test/support/ports.ts'
import { projectRoot } from '../../test/support/project.ts'
import { adminToken, testClient } from '../../test/support/stack.ts'
import { hashSecret } from '../../token/secret.ts'
import type { Cores } from '../load/cores.ts'
import { configOf, type LogPlace } from '../log/place.ts'

/** What runs. */
export interface Stand {
  readonly revokerPort: number
  stop(): Promise<void>
}

/** What is to run. */
export interface StandOptions {
  readonly place: LogPlace
  readonly mint: Pick<TokenMint, 'issuer' | 'jwksUri'>
  /** For configurations and what is logged. */
  readonly folder: string
  readonly cores: Cores
}

interface Ports {
  readonly revoker: number
  readonly revokerAdmin: number
  readonly adapter: number
  readonly adapterAdmin: number
}

const readyTimeoutMs = 60_000
const address = (port: number) => `127.0.0.1:${port}`

/** Starts everything; resolves when all is ready, and adapters know that they know all enforcers. */
export const startStand = async (options: StandOptions): Promise<Stand> => {
  const { place, cores } = options
  const ports: Ports = {
    revoker: await freePort(),
    revokerAdmin: await freePort(),
    adapter: await freePort(),
    adapterAdmin: await freePort(),
  }
  const children: Child[] = []
  const stop = async () => {
    for (const child of children.splice(0).reverse()) await child.stop()
  }
  const start = async (role: Role, name: string, adminPort: number, more: object = {}) => {
    const config = { ...(await configOfStand(options, ports)), ...more }
    const part = await startPart(role, config, join(options.folder, `${place.driver}-${name}`))
    children.push(part.child)
    await (role === 'revoker' || role === 'all' ? cores.giveServerCore : cores.giveLoadCores)(part.child.pid)
    await untilReady(part, adminPort)
  }
  const startEnforcer = async (name: string) => {
    const adminPort = await freePort()
    const enforcer = { adapters: [address(ports.adapter)], instance: name, ...enforcerOf(adminPort) }
    await start('enforcer', name, adminPort, { enforcer })
  }
  try {
    if (place.driver === 'embedded') await start('all', 'all', ports.revokerAdmin)
    else {
      await start('revoker', 'revoker', ports.revokerAdmin)
      await start('adapter', 'adapter', ports.adapterAdmin)
      await startEnforcer('first')
    }
    for (const name of ['second', 'third']) await startEnforcer(name)
    await untilSettled(ports.adapterAdmin)
    return { revokerPort: ports.revoker, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** An adapter that was just started must wait for as long as this before it can know all enforcers. */
const maxStaleness = '2s'

const enforcerOf = (adminPort: number) => ({
  address: address(0),
  adminAddress: address(adminPort),
  drainDelay: '0s',
  maxStaleness,
})

const configOfStand = async ({ place, mint }: StandOptions, ports: Ports) => ({
  log: { format: 'json' },
  issuers: [{ issuer: mint.issuer, jwksUri: mint.jwksUri, audiences: [testAudience] }],
  eventLog: configOf(place),
  revoker: {
    address: address(ports.revoker),
    adminAddress: address(ports.revokerAdmin),
    clients: [{ id: testClient.id, secretHash: await hashSecret(testClient.secret), issuer: mint.issuer }],
    admin: { tokens: [{ name: 'bench', hash: await hashSecret(adminToken) }] },
    confirmation: place.driver === 'embedded' ? {} : { adapters: [`http://${address(ports.adapterAdmin)}`] },
  },
  adapter: { address: address(ports.adapter), adminAddress: address(ports.adapterAdmin) },
  enforcer: enforcerOf(0),
})

interface Part {
  readonly child: Child
  readonly logFile: string
}

/** What it logs goes to a file, as elsewhere to a collector: this process is to measure and not to read. */
const startPart = async (role: Role, config: object, name: string): Promise<Part> => {
  const [configFile, logFile] = [`${name}.yaml`, `${name}.log`]
  writeFileSync(configFile, stringify(config))
  const main = join(projectRoot, 'dist', 'cli', 'main.js')
  const command = [process.execPath, main, role, '--config', configFile]
  return { child: await startChild('sh', ['-c', 'exec "$@" >>"$0" 2>&1', logFile, ...command]), logFile }
}

const untilReady = ({ child, logFile }: Part, adminPort: number) =>
  until('it is ready', async () => (await fetch(`http://${address(adminPort)}/readyz`)).status === 200, {
    timeoutMs: readyTimeoutMs,
    giveUp: () => (child.exitCode === undefined ? undefined : readFileSync(logFile, 'utf8')),
  })

const untilSettled = (adapterAdmin: number) =>
  until('the adapter is settled', async () => {
    const fleet = await (await fetch(`http://${address(adapterAdmin)}/nodes`)).json()
    return (fleet as { settled: boolean }).settled
  })
