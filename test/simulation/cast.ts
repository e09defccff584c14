/**
 * Everything of a simulation: the log, the network, and the machines; all can be killed and started again.
 *
 * @module
 */
import type { Actor, AdapterActor, EnforcerActor, RevokerActor, Shared } from './actors.ts'
import { createEnforcer } from './enforcer-actor.ts'
import { createFollower } from './following-actor.ts'
import { createHistory, type History } from './history.ts'
import { createLogCluster, type LogCluster } from './log-cluster.ts'
import type { LogFaults } from './log-link.ts'
import { createNetwork, type Network } from './network.ts'
import type { Setting } from './setting.ts'
import { drawTokens, type SimulatedToken } from './workload.ts'
import type { World } from './world.ts'

/** Everything of a simulation. */
export interface Cast {
  readonly world: World
  readonly network: Network
  readonly history: History
  readonly cluster: LogCluster
  readonly tokens: readonly SimulatedToken[]
  readonly logFaults: LogFaults
  readonly revokers: readonly RevokerActor[]
  readonly adapters: readonly AdapterActor[]
  readonly enforcers: readonly EnforcerActor[]
  /** Each once: with the embedded log revoker and adapter are one. */
  readonly actors: readonly Actor[]
  /** No message arrives spoilt any more. */
  stopSpoiling(): void
}

/** Creates the cast; nothing runs yet. */
export function createCast(world: World, setting: Setting): Cast {
  const { dice, scheduler } = world
  const network = createNetwork(world, setting.network)
  const tokens = drawTokens(dice, Math.floor(world.wallMs() / 1000))
  const history = createHistory(tokens, { nowMs: () => scheduler.nowMs, wallMs: world.wallMs })
  const cluster = createLogCluster(world, history, setting.log)
  const logFaults: LogFaults = { lostAnswers: setting.lostAnswers }
  const shared: Shared = {
    world,
    network,
    history,
    cluster,
    tokens,
    logFaults,
    setting,
    spoiltShare: setting.spoiltShare,
  }
  const isEmbedded = setting.log === 'embedded'

  const adapters = setting.disks.map((hasDisk, index) =>
    createFollower(shared, isEmbedded ? 'all' : `adapter-${index + 1}`, {
      isRevoker: isEmbedded,
      isAdapter: true,
      hasDisk,
    }),
  )
  const revokers = isEmbedded
    ? adapters
    : Array.from({ length: setting.revokers }, (_, index) =>
        createFollower(shared, `revoker-${index + 1}`, { isRevoker: true, isAdapter: false, hasDisk: false }),
      )
  const enforcers = setting.snapshots.map((hasDisk, index) =>
    createEnforcer(shared, `enforcer-${index + 1}`, adapters, hasDisk),
  )
  return {
    ...shared,
    revokers,
    adapters,
    enforcers,
    actors: [...new Set<Actor>([...revokers, ...adapters, ...enforcers])],
    stopSpoiling: () => {
      shared.spoiltShare = 0
    },
  }
}
