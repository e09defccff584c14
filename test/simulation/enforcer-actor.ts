/**
 * A machine on which an enforcer runs.
 *
 * @module
 */
import { type AdapterActor, createMachine, type EnforcerActor, type Shared } from './actors.ts'
import { type EnforcerWatch, watchEnforcer } from './enforcer-watch.ts'
import { startEnforcer } from './nodes.ts'
import { createSnapshotDisk } from './snapshot-disk.ts'
import { openStream, type SimulatedStream } from './stream.ts'
import { violation } from './violation.ts'
import type { Process } from './world.ts'

const unansweredLimit = 8

/** Creates the machine; nothing runs yet. */
export function createEnforcer(
  shared: Shared,
  name: string,
  adapters: readonly AdapterActor[],
  hasDisk: boolean,
): EnforcerActor {
  const { world } = shared
  const disk = hasDisk ? createSnapshotDisk(world) : undefined
  const { dice, trace } = world
  const machine = createMachine(world, name)
  const first = dice.int(adapters.length)
  const inTurn = [...adapters.slice(first), ...adapters.slice(0, first)]
  let process: Process | undefined
  let watch: EnforcerWatch | undefined
  let stream: SimulatedStream | undefined

  const open = (started: Process, to: string): SimulatedStream =>
    openStream(
      shared,
      started,
      { name: to, server: () => adapters.find(({ machine: { name } }) => name === to)?.node },
      { window: dice.pick([1, 2, 4, 64]), readMs: actor.readMs, spoiltShare: shared.spoiltShare },
      {
        onWritten: unanswered => {
          if (unanswered > unansweredLimit)
            throw violation('invariant 8', `${to} has ${unanswered} messages without an answer from ${name}`)
        },
        onRead: (batch, transitMs, isSpoilt) => {
          if (batch !== undefined) watch?.noteTransit(transitMs)
          if (batch === undefined) return
          const what = `${batch.kind} ${batch.from} -> ${batch.to} of ${to}, ${batch.entries.length / 24} entries`
          trace.add(
            name,
            `${isSpoilt ? 'gets spoilt' : 'reads'} ${what}${batch.rolledBack ? ', rolled back' : ''}`,
          )
        },
        onRefused: reason => {
          throw violation('C1', `${name} refuses what ${to} has sent: ${reason}`)
        },
      },
    )

  const actor: EnforcerActor = {
    machine,
    roles: ['enforcer'],
    readMs: 0,
    get watch() {
      return watch
    },
    get stream() {
      return stream
    },
    get isRunning() {
      return process !== undefined
    },
    start: () => {
      if (process !== undefined) return
      trace.add(name, 'starts')
      const started = world.startProcess(machine)
      process = started
      const names = inTurn.map(({ machine: { name } }) => name)
      const connect = (to: string) => {
        stream = open(started, to)
        return stream.client
      }
      const store = disk?.open(started, () => watch?.held ?? [])
      const sources = { adapters: names, open: connect, store, random: dice.next }
      startEnforcer(started, sources, node => {
        watch = watchEnforcer(shared, node, disk?.held ?? [])
      }).catch(world.fail)
    },
    kill: () => {
      if (process === undefined) return
      trace.add(name, 'is killed')
      process.kill()
      process = undefined
      watch = undefined
      stream = undefined
    },
    check: () => watch?.check(),
  }
  return actor
}
