/**
 * The faults of a simulation, each of which ends by itself after a while.
 *
 * @module
 */
import type { Actor } from './actors.ts'
import type { Cast } from './cast.ts'
import { rules } from './nodes.ts'
import type { FaultKind } from './setting.ts'

/** Lets a fault happen now. */
export function happen(kind: FaultKind, cast: Cast): void {
  faults[kind](cast)
}

/** Ends all faults: everything runs, everybody reaches everybody, nothing is lost any more. */
export function endFaults({ network, cluster, logFaults, adapters, enforcers, actors, ...cast }: Cast): void {
  network.healAll()
  if (!cluster.leader.isUp) cluster.setUp(true)
  logFaults.lostAnswers = 0
  cast.stopSpoiling()
  for (const { disk } of adapters) if (disk !== undefined) disk.isFull = false
  for (const enforcer of enforcers) enforcer.readMs = 0
  for (const { stream } of enforcers) stream?.cut()
  for (const actor of actors) actor.start()
}

const crash =
  (role: Actor['roles'][number]) =>
  ({ world: { dice, scheduler }, actors }: Cast) => {
    const victim = dice.pick(actors.filter(({ roles }) => roles.includes(role)))
    if (!victim.isRunning) return
    victim.kill()
    scheduler.after(dice.between(50, 8_000), victim.start)
  }

const faults: Readonly<Record<FaultKind, (cast: Cast) => void>> = {
  'crash revoker': crash('revoker'),
  'crash adapter': crash('adapter'),
  'crash enforcer': crash('enforcer'),
  'cut network': ({ world: { dice, scheduler }, network, adapters, enforcers, actors }) => {
    const adapter = dice.pick(adapters).machine.name
    const [one, other] = dice.chance(0.5)
      ? [dice.pick(actors).machine.name, 'log']
      : [dice.pick(enforcers).machine.name, adapter]
    network.cut(one, other)
    scheduler.after(dice.between(50, 12_000), () => network.heal(one, other))
  },
  'cut stream': ({ world: { dice }, enforcers }) => dice.pick(enforcers).stream?.cut(),
  'log away': ({ world: { dice, scheduler }, cluster }) => {
    if (cluster.kind === 'embedded' || !cluster.leader.isUp) return
    cluster.setUp(false)
    scheduler.after(dice.between(50, 6_000), () => cluster.setUp(true))
  },
  'log connections lost': ({ cluster }) => {
    if (cluster.kind !== 'embedded') cluster.dropConnections()
  },
  'fail-over': cast => {
    const {
      world: { dice },
      cluster,
    } = cast
    const lost = dice.chance(0.3) ? 0 : 1 + dice.int(8)
    if (cluster.kind === 'embedded') whileStopped(cast, () => cluster.failOver(lost, 0))
    else cluster.failOver(lost, cluster.kind === 'redis' && dice.chance(0.5) ? dice.between(50, 4_000) : 0)
  },
  'log created anew': cast => {
    const { cluster } = cast
    if (cluster.kind === 'embedded') whileStopped(cast, cluster.recreate)
    else cluster.recreate()
  },
  'power cut': cast => {
    const {
      world: { dice, scheduler },
      cluster,
      adapters,
    } = cast
    for (const adapter of adapters) adapter.kill()
    scheduler.after(100, () => {
      if (cluster.kind !== 'embedded' || !adapters.some(({ isRunning }) => isRunning))
        cluster.failOver(1 + dice.int(5), 0)
    })
    for (const adapter of adapters) scheduler.after(dice.between(200, 2_000), adapter.start)
  },
  'clock jump': ({ world: { dice, trace }, actors }) => {
    const { machine } = dice.pick(actors)
    machine.clockAheadMs = dice.between(-0.5, 0.5) * rules.maxClockDifferenceSeconds * 1_000
    trace.add(machine.name, `clock jumps: ${Math.round(machine.clockAheadMs)} ms ahead`)
  },
  sleep: ({ world }) => {
    const ms = world.dice.between(1_000, 60_000)
    world.trace.add('world', `all machines sleep for ${Math.round(ms)} ms`)
    world.sleep(ms)
  },
  'disk full': ({ world: { dice, scheduler, trace }, adapters }) => {
    const { disk, machine } = dice.pick(adapters)
    if (disk === undefined) return
    trace.add(machine.name, 'disk is full')
    disk.isFull = true
    scheduler.after(dice.between(100, 15_000), () => {
      disk.isFull = false
    })
  },
  'slow reader': ({ world: { dice, scheduler, trace }, enforcers }) => {
    const enforcer = dice.pick(enforcers)
    enforcer.readMs = dice.pick([20, 200, 2_000])
    trace.add(enforcer.machine.name, `opens streams that it reads slowly: ${enforcer.readMs} ms`)
    enforcer.stream?.cut()
    scheduler.after(dice.between(1_000, 15_000), () => {
      enforcer.readMs = 0
    })
  },
}

/** With the embedded log, what happens to its folder happens while its process is stopped. */
function whileStopped({ world: { dice, scheduler }, actors }: Cast, action: () => void): void {
  const [all] = actors
  if (all === undefined) return
  all.kill()
  scheduler.after(100, () => {
    if (!all.isRunning) action()
  })
  scheduler.after(dice.between(200, 3_000), () => all.start())
}
