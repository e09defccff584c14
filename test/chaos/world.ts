/**
 * Everything that runs: the log's server, two revokers, two adapters and three enforcers; with the embedded log one
 * `rescind all` and two more enforcers.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '../../cli/roles.ts'
import { hashSecret } from '../../token/secret.ts'
import { testAudience } from '../support/issuer.ts'
import { freePort } from '../support/ports.ts'
import { adminToken, testClient } from '../support/stack.ts'
import { type LogName, startLogServer } from './log-server.ts'
import { type Node, startNode } from './node.ts'
import { startMint, type TokenMint } from './tokens.ts'
import { createTurns, type Victim } from './victim.ts'

/** Where a part of the product is found on 127.0.0.1. */
export interface Part {
  readonly name: string
  readonly node: Node
  readonly port: number
  readonly adminPort: number
}

/** What runs. */
export interface World {
  readonly mint: TokenMint
  /** Everything that can be killed. */
  readonly victims: readonly Victim[]
  /** The one without which nothing can be appended. */
  readonly log: Victim
  readonly nodes: readonly Node[]
  readonly revokers: readonly Part[]
  readonly adapters: readonly Part[]
  readonly enforcers: readonly Part[]
  /** Where the logs of the processes are. */
  readonly folder: string
}

/** Takes what must be stopped at the end, in the opposite order. */
export type AtEnd = (stop: () => Promise<void>) => void

type Starter = (name: string, role: Role) => Promise<Node>

interface Ports {
  readonly port: number
  readonly adminPort: number
}

/** Starts everything. What was started is given to `atEnd` at once, so that it can be stopped whenever this fails. */
export async function startWorld(log: LogName, atEnd: AtEnd): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-chaos-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  const mint = await startMint()
  atEnd(mint.stop)
  const over = new AbortController()
  const isEmbedded = log === 'embedded'
  const server = isEmbedded ? undefined : await startLogServer(log, over.signal)
  if (server !== undefined) atEnd(server.stop)

  const adapters = await portsOf(isEmbedded ? ['all'] : ['adapter-1', 'adapter-2'])
  const revokers = await portsOf(isEmbedded ? ['all'] : ['revoker-1', 'revoker-2'])
  const enforcers = await portsOf([isEmbedded ? 'all' : 'enforcer-3', 'enforcer-1', 'enforcer-2'])
  const common = await commonConfig(mint)

  const configOf = (name: string) => {
    const [revoker, adapter, enforcer] = [revokers.get(name), adapters.get(name), enforcers.get(name)]
    return {
      ...common,
      eventLog: server?.config ?? { folder: join(folder, 'log') },
      revoker: { ...common.revoker, ...(revoker && addressesOf(revoker)) },
      adapter: adapter && { ...addressesOf(adapter), dataFolder: join(folder, `${name}-data`) },
      enforcer: enforcer && {
        ...addressesOf(enforcer),
        instance: name,
        adapters: inTurn([...adapters.values()], [...enforcers.keys()].indexOf(name)),
      },
    }
  }
  // With both revokers down nothing could be sent; the share that is acknowledged would tell how quickly they start.
  const revokerTurns = createTurns()
  const start: Starter = async (name, role) => {
    const parts = [revokers.get(name), adapters.get(name), enforcers.get(name)]
    const adminPorts = parts.flatMap(part => (part === undefined ? [] : [part.adminPort]))
    const turns = role === 'revoker' ? revokerTurns : createTurns()
    const config = configOf(name)
    const node = await startNode({ name, role, config, adminPorts, folder, turns, over: over.signal })
    atEnd(node.stop)
    return node
  }

  const names = [...new Set([...adapters.keys(), ...revokers.keys(), ...enforcers.keys()])]
  const nodes = await Promise.all(names.map(name => start(name, roleOf(name))))
  atEnd(async () => over.abort())
  const partsOf = (ports: ReadonlyMap<string, Ports>): readonly Part[] =>
    [...ports].map(([name, at]) => ({ name, node: nodes[names.indexOf(name)] as Node, ...at }))
  return {
    mint,
    victims: [...(server === undefined ? [] : [server.victim]), ...nodes],
    log: server?.victim ?? (nodes[0] as Node),
    nodes,
    revokers: partsOf(revokers),
    adapters: partsOf(adapters),
    enforcers: partsOf(enforcers),
    folder,
  }
}

async function portsOf(names: readonly string[]): Promise<ReadonlyMap<string, Ports>> {
  const ports = new Map<string, Ports>()
  for (const name of names) ports.set(name, { port: await freePort(), adminPort: await freePort() })
  return ports
}

const addressesOf = ({ port, adminPort }: Ports) => ({
  address: `127.0.0.1:${port}`,
  adminAddress: `127.0.0.1:${adminPort}`,
})

/** The adapters of an enforcer: another one is the first for the next enforcer. */
const inTurn = (adapters: readonly Ports[], turn: number): string[] =>
  adapters.map((_, index) => `127.0.0.1:${(adapters[(index + turn) % adapters.length] as Ports).port}`)

const roleOf = (name: string): Role => name.split('-')[0] as Role

const commonConfig = async (mint: TokenMint) => ({
  log: { format: 'json' },
  issuers: [{ issuer: mint.issuer, jwksUri: mint.jwksUri, audiences: [testAudience] }],
  revoker: {
    clients: [{ id: testClient.id, secretHash: await hashSecret(testClient.secret), issuer: mint.issuer }],
    admin: { tokens: [{ name: 'tester', hash: await hashSecret(adminToken) }] },
  },
})
