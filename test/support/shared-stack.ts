/**
 * A revoker, adapters and enforcers, each a process of its own, on a log that they share.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetStatus } from '../../adapter/fleet-status.ts'
import { hashSecret } from '../../token/secret.ts'
import { createEnforcerClient, type EnforcerClient } from './enforcer-client.ts'
import { createTestIssuer, type TestIssuer, testAudience } from './issuer.ts'
import { type Part, startPart } from './part.ts'
import { freePort } from './ports.ts'
import { adminToken, type StackConfig } from './stack.ts'

/** An adapter of a shared stack. */
export interface SharedAdapterOptions {
  /** Its `eventLog` section; that of the revoker if not given. */
  readonly log?: object
  /** Without `adapter.dataFolder`. */
  readonly keepsNothing?: boolean
}

/** What a shared stack is to have. */
export interface SharedStackOptions {
  /** The `eventLog` section of the revoker. */
  readonly log: object
  /** One with a data folder if not given. */
  readonly adapters?: readonly SharedAdapterOptions[]
  /** For each enforcer the numbers of its adapters, in the order in which it tries them; one at adapter 0 if not given. */
  readonly enforcers?: readonly (readonly number[])[]
  /** Changes to the configuration of a part; `adminPorts` are those of the adapters, by their numbers. */
  edit?(role: 'revoker' | 'adapter' | 'enforcer', config: StackConfig, adminPorts: readonly number[]): void
}

/** A running adapter. */
export interface SharedAdapter extends Part {
  /** `GET /nodes`. */
  nodes(): Promise<Pick<FleetStatus, 'version' | 'nodes'>>
}

/** A running enforcer. */
export interface SharedEnforcer extends Part {
  readonly instance: string
  readonly client: EnforcerClient
}

/** A running stack. */
export interface SharedStack {
  readonly issuer: TestIssuer
  readonly revoker: Part
  readonly revokerPort: number
  readonly adapters: readonly SharedAdapter[]
  readonly enforcers: readonly SharedEnforcer[]
  /** Starts an enforcer more, which knows nothing yet; `adapters` are numbers. */
  addEnforcer(adapters: readonly number[]): Promise<SharedEnforcer>
  stop(): Promise<void>
}

/** Starts a stack. Throws, with everything stopped again, if a part of it does not start. */
export async function startSharedStack(options: SharedStackOptions): Promise<SharedStack> {
  const { adapters: wantedAdapters = [{}], enforcers: wantedEnforcers = [[0]] } = options
  const ends: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  const folder = mkdtempSync(join(tmpdir(), 'rescind-shared-'))
  ends.push(async () => rmSync(folder, { recursive: true, force: true }))
  const adminPorts = await Promise.all(wantedAdapters.map(freePort))
  const run = async (role: 'revoker' | 'adapter' | 'enforcer', { config }: { config: StackConfig }) => {
    options.edit?.(role, config, adminPorts)
    const part = await startPart(role, { config })
    ends.push(() => part.end('SIGTERM'))
    return part
  }
  try {
    const issuer = await createTestIssuer()
    ends.push(issuer.stop)
    const shared: StackConfig = {
      log: { format: 'json' },
      issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [testAudience] }],
      eventLog: options.log,
    }
    const revokerPort = await freePort()
    const revoker = await run('revoker', { config: { ...shared, revoker: await revokerOf(revokerPort) } })

    const addresses: string[] = []
    const startAdapter = async (wanted: SharedAdapterOptions, number: number): Promise<SharedAdapter> => {
      const [address, adminPort] = [`127.0.0.1:${await freePort()}`, adminPorts[number]]
      addresses[number] = address
      const adapter = {
        address,
        adminAddress: `127.0.0.1:${adminPort}`,
        ...(wanted.keepsNothing ? {} : { dataFolder: join(folder, `adapter-${number}`) }),
      }
      const part = await run('adapter', {
        config: { ...shared, adapter, eventLog: wanted.log ?? options.log },
      })
      const nodes = async () => (await fetch(`http://127.0.0.1:${adminPort}/nodes`)).json()
      return { ...part, nodes: nodes as SharedAdapter['nodes'] }
    }
    let instances = 0
    const addEnforcer = async (ofAdapters: readonly number[]): Promise<SharedEnforcer> => {
      const port = await freePort()
      const instance = `enforcer-${instances++}`
      const enforcer = {
        address: `127.0.0.1:${port}`,
        adminAddress: '127.0.0.1:0',
        adapters: ofAdapters.map(number => addresses[number]),
        instance,
        drainDelay: '0s',
      }
      const part = await run('enforcer', { config: { ...shared, enforcer } })
      const client = createEnforcerClient(port)
      ends.push(async () => client.close())
      return { ...part, instance, client }
    }
    const adapters = await Promise.all(wantedAdapters.map(startAdapter))
    const enforcers = await Promise.all(wantedEnforcers.map(addEnforcer))
    return { issuer, revoker, revokerPort, adapters, enforcers, addEnforcer, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const revokerOf = async (port: number): Promise<object> => ({
  address: `127.0.0.1:${port}`,
  adminAddress: '127.0.0.1:0',
  admin: { tokens: [{ name: 'tester', hash: await hashSecret(adminToken) }] },
})
