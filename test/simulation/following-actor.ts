/**
 * A machine that follows the log: a revoker, an adapter, or both in one process.
 *
 * @module
 */
import type { EventLog } from '../../event-log/event-log.ts'
import { type AdapterActor, createMachine, type RevokerActor, type Shared } from './actors.ts'
import { type AdapterWatch, watchAdapter } from './adapter-watch.ts'
import { openChainedLog } from './chained-log.ts'
import { createCheckpointDisk } from './disk.ts'
import type { Known } from './history.ts'
import { openKafkaLog } from './kafka-log.ts'
import { createLogLink } from './log-link.ts'
import {
  type AdapterNode,
  type RevokerNode,
  rules,
  startAdapter,
  startFollowing,
  startRevoker,
} from './nodes.ts'
import type { Process } from './world.ts'

/** What runs on the machine. */
export interface FollowingRoles {
  readonly isRevoker: boolean
  readonly isAdapter: boolean
  /** It keeps a checkpoint. */
  readonly hasDisk: boolean
}

const beatMs = 20_000

/** Creates the machine; nothing runs yet. */
export function createFollower(
  shared: Shared,
  name: string,
  { isRevoker, isAdapter, hasDisk }: FollowingRoles,
): RevokerActor & AdapterActor & { readonly node: (RevokerNode & AdapterNode) | undefined } {
  const { world } = shared
  const machine = createMachine(world, name)
  let process: Process | undefined
  let node: (RevokerNode & AdapterNode) | undefined
  let log: EventLog | undefined
  let watch: AdapterWatch | undefined
  let kept: ReadonlySet<Known> = new Set()
  const disk = hasDisk
    ? createCheckpointDisk(world, {
        onWrite: () => {
          const held = new Set(watch?.held ?? kept)
          return () => {
            kept = held
          }
        },
      })
    : undefined

  const run = async (started: Process) => {
    const opened = openLog(shared, started, isRevoker)
    log = opened
    const following = await startFollowing(started, opened, disk, {
      onRestart: reason => watch?.noteRestart(reason),
      onFatal: world.fail,
    })
    if (!started.isAlive) return
    const { dice } = world
    const lifetime = dice.chance(0.9) ? rules.lifetimeSeconds : rules.raisedLifetimeSeconds
    const adapter = isAdapter ? startAdapter(following, dice.next, shared.setting.streamMaxAgeMs) : undefined
    const revoker = isRevoker ? startRevoker(following, dice.next, lifetime) : undefined
    node = {
      ...following,
      serve: call => adapter?.serve(call),
      get publisher() {
        return revoker?.publisher
      },
    }
    if (isAdapter) watch = watchAdapter(shared, following, kept, () => (hasDisk ? kept : undefined))
  }

  return {
    machine,
    roles: [...(isRevoker ? (['revoker'] as const) : []), ...(isAdapter ? (['adapter'] as const) : [])],
    disk,
    get node() {
      return node
    },
    get watch() {
      return watch
    },
    get isRunning() {
      return process !== undefined
    },
    start: () => {
      if (process !== undefined) return
      world.trace.add(name, 'starts')
      process = world.startProcess(machine)
      void run(process)
    },
    kill: () => {
      if (process === undefined) return
      world.trace.add(name, 'is killed')
      process.kill()
      // Only so that nothing waits for it for ever: signals that somebody listens to are kept in memory.
      void log?.close()
      process = undefined
      node = undefined
      watch = undefined
    },
    check: () => watch?.check(),
  }
}

function openLog(shared: Shared, process: Process, writes: boolean): EventLog {
  const { world, setting } = shared
  const { dice } = world
  const link = createLogLink({ ...shared, process, faults: shared.logFaults })
  const { pageEntries } = setting
  if (setting.log !== 'kafka') return openChainedLog({ link, newEpoch: dice.id, pageEntries })
  return openKafkaLog({ link, process, writes, pageEntries, beatMs, joinsAgain: () => dice.chance(0.5) })
}
