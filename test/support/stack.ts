/**
 * `rescind all` with everything around it, on free ports: an issuer of tokens, an API, and where asked for an OpenID
 * Provider and Envoy.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSecret } from '../../token/secret.ts'
import { type RunningEnvoy, startEnvoy, waitLongerForChecks } from './envoy.ts'
import { createTestIssuer, type TestIssuer, testAudience } from './issuer.ts'
import { type OpenIdProvider, startOpenIdProvider } from './openid-provider.ts'
import { freePort } from './ports.ts'
import { type RescindOptions, type RescindProcess, startRescind } from './processes.ts'
import { startUpstream, type Upstream } from './upstream.ts'

/** The configuration of `rescind`, to be changed in place. */
// biome-ignore lint/suspicious/noExplicitAny: also configurations that are not valid are tried with it.
export type StackConfig = any

/** The token of the administrator of a stack. */
export const adminToken = 'token-of-an-administrator'

/** The client of the test issuer; its tokens carry `client_id: test-client`. */
export const testClient = { id: 'test-client', secret: 'test-secret' } as const

/** What a stack is to have. */
export interface StackOptions {
  /** Envoy in front of API and enforcer; none if not given. */
  readonly envoy?: boolean
  /** An OpenID Provider with its two clients, which may then revoke too: a new one, or one that is stopped with the stack. */
  readonly provider?: boolean | OpenIdProvider
  /** The issuer to use; it is stopped with the stack. */
  readonly issuer?: TestIssuer
  /** Which log line says that `rescind all` has started; see `startRescind`. */
  readonly ready?: RescindOptions['ready']
  /** Changes to the configuration. */
  edit?(config: StackConfig): void
}

/** Where the parts of `rescind all` listen on 127.0.0.1. */
export interface StackPorts {
  readonly revoker: number
  readonly adapter: number
  readonly adapterAdmin: number
  readonly enforcer: number
  readonly enforcerAdmin: number
}

/** A running stack. */
export interface Stack {
  readonly issuer: TestIssuer
  readonly upstream: Upstream
  readonly ports: StackPorts
  /** What `rescind all` was started with. */
  readonly config: StackConfig
  /** The process that runs now. */
  readonly rescind: RescindProcess
  /** Throws if the stack was started without one. */
  readonly provider: OpenIdProvider
  /** Throws if the stack was started without one. */
  readonly envoy: RunningEnvoy
  /** `kill -9` of `rescind all`. */
  kill(): Promise<void>
  /** Starts `rescind all` again, with the same configuration, after it has ended. */
  startAgain(): Promise<void>
  stop(): Promise<void>
}

/** Starts a stack. Throws, with everything stopped again, if a part of it does not start. */
export const startStack = async (options: StackOptions = {}): Promise<Stack> => {
  const ends: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  const keep = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    ends.push(() => part.stop())
    return part
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-stack-'))
    ends.push(async () => rmSync(folder, { recursive: true, force: true }))
    const issuer = keep(options.issuer ?? (await createTestIssuer()))
    const provider = options.provider ? keep(await providerOf(options.provider)) : undefined
    const upstream = keep(await startUpstream())
    const ports = await freePorts()
    const config = await configOf(issuer, provider, ports, folder)
    options.edit?.(config)
    const startOptions = { config, ...(options.ready === undefined ? {} : { ready: options.ready }) }
    let rescind = await startRescind(['all'], startOptions)
    ends.push(() => rescind.stop())
    const envoy = options.envoy === true ? keep(await startEnvoyFor(ports.enforcer, upstream)) : undefined
    return {
      issuer,
      upstream,
      ports,
      config,
      get rescind() {
        return rescind
      },
      get provider() {
        return present(provider, 'provider')
      },
      get envoy() {
        return present(envoy, 'envoy')
      },
      async kill() {
        await rescind.kill('SIGKILL')
        await rescind.stop()
      },
      async startAgain() {
        rescind = await startRescind(['all'], { config })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts an Envoy that asks the enforcer at a port and passes on to an API. */
export const startEnvoyFor = (enforcerPort: number, upstream: Upstream): Promise<RunningEnvoy> =>
  startEnvoy({ enforcerPort, upstreamPort: upstream.port, edit: waitLongerForChecks })

const providerOf = async (given: true | OpenIdProvider): Promise<OpenIdProvider> =>
  given === true ? startOpenIdProvider() : given

const freePorts = async (): Promise<StackPorts> => ({
  revoker: await freePort(),
  adapter: await freePort(),
  adapterAdmin: await freePort(),
  enforcer: await freePort(),
  enforcerAdmin: await freePort(),
})

const configOf = async (
  issuer: TestIssuer,
  provider: OpenIdProvider | undefined,
  ports: StackPorts,
  folder: string,
): Promise<StackConfig> => ({
  log: { format: 'json' },
  issuers: [
    { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [testAudience] },
    ...(provider ? [{ issuer: provider.issuer, audiences: [provider.audience] }] : []),
  ],
  eventLog: { folder: join(folder, 'log') },
  revoker: {
    address: `127.0.0.1:${ports.revoker}`,
    adminAddress: '127.0.0.1:0',
    clients: await clientsOf(issuer, provider),
    admin: { tokens: [{ name: 'tester', hash: await hashSecret(adminToken) }] },
  },
  adapter: {
    address: `127.0.0.1:${ports.adapter}`,
    adminAddress: `127.0.0.1:${ports.adapterAdmin}`,
  },
  enforcer: {
    address: `127.0.0.1:${ports.enforcer}`,
    adminAddress: `127.0.0.1:${ports.enforcerAdmin}`,
    drainDelay: '0s',
  },
})

const clientsOf = async (issuer: TestIssuer, provider: OpenIdProvider | undefined): Promise<object[]> => {
  const client = async (id: string, secret: string, issuerName: string) => ({
    id,
    secretHash: await hashSecret(secret),
    issuer: issuerName,
  })
  const ofIssuer = await client(testClient.id, testClient.secret, issuer.issuer)
  if (provider === undefined) return [ofIssuer]
  return [
    ofIssuer,
    await client('demo-client', 'demo-secret', provider.issuer),
    await client('other-client', 'other-secret', provider.issuer),
  ]
}

const present = <Part>(part: Part | undefined, option: string): Part => {
  if (part === undefined) throw new Error(`the stack was started without ${option}: true`)
  return part
}
