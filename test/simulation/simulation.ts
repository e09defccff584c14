/**
 * One simulation: everything runs, faults happen, and after every step what enforcers and adapters hold is looked at; then
 * the faults end, and everybody must come to what the log says.
 *
 * @module
 */
import { createDice } from '../support/random.ts'
import { type Cast, createCast } from './cast.ts'
import { act } from './events.ts'
import { endFaults, happen } from './faults.ts'
import { drawSetting, type Setting } from './setting.ts'
import { Violation, violation } from './violation.ts'
import { createWorld, type World } from './world.ts'

/** What came of a seed. */
export interface SimulationResult {
  readonly seed: number
  readonly steps: number
  readonly setting: Setting
  /** What was broken; undefined if nothing was. */
  readonly violation: Violation | undefined
  /** The last events. */
  readonly trace: readonly string[]
}

/** Within this time after the last fault everybody has come to what the log says, milliseconds. */
const settleLimitMs = 120_000
const settleCheckMs = 500
const startWithinMs = 2_000

/**
 * Runs a seed; the same seed does the same.
 *
 * @param traceLimit how many of the last events are kept.
 */
export async function simulate(seed: number, traceLimit: number): Promise<SimulationResult> {
  const dice = createDice(seed)
  const world = createWorld(dice, traceLimit)
  const setting = drawSetting(dice)
  const cast = createCast(world, setting)
  const onRejection = (error: unknown) => world.fail(error)
  process.on('unhandledRejection', onRejection)
  let steps = 0
  try {
    schedule(cast, setting)
    steps += await runUntil(cast, () => world.scheduler.nowMs >= setting.spanMs)
    endFaults(cast)
    steps += await runUntil(cast, settled(cast))
    return { seed, steps, setting, violation: undefined, trace: world.trace.lines() }
  } catch (error) {
    return { seed, steps, setting, violation: violationOf(error), trace: world.trace.lines() }
  } finally {
    for (const actor of cast.actors) actor.kill()
    process.off('unhandledRejection', onRejection)
  }
}

function schedule(cast: Cast, { spanMs, faults, faultCount, eventCount }: Setting): void {
  const { scheduler, dice } = cast.world
  for (const actor of cast.actors) scheduler.after(dice.between(0, startWithinMs), actor.start)
  for (let event = 0; event < eventCount; event++) scheduler.after(dice.between(0, spanMs), () => act(cast))
  if (faults.length === 0) return
  for (let fault = 0; fault < faultCount; fault++) {
    const kind = dice.pick(faults)
    scheduler.after(dice.between(0, spanMs), () => happen(kind, cast))
  }
}

/** Runs step by step until something is so; returns how many steps. */
async function runUntil(cast: Cast, isSo: () => boolean): Promise<number> {
  const { world, actors } = cast
  let steps = 0
  while (!isSo()) {
    if (!world.scheduler.step()) throw new Error('nothing is left to do')
    steps += 1
    await nextTurn()
    throwFailure(world)
    const active = world.takeActive()
    for (const actor of actors) if (active.has(actor.machine.name)) actor.check()
  }
  return steps
}

/** All promises that can go on have done so then. */
const nextTurn = (): Promise<void> => new Promise(done => setImmediate(done))

function throwFailure({ failure }: World): void {
  if (failure !== undefined) throw failure.error
}

/** Whether everybody has come to what the log says, looked at every now and then; fails when that takes too long. */
function settled(cast: Cast): () => boolean {
  const { world, adapters, enforcers, cluster } = cast
  const { nowMs: beganAtMs } = world.scheduler
  let checkAtMs = beganAtMs
  return () => {
    const { nowMs } = world.scheduler
    if (nowMs < checkAtMs) return false
    checkAtMs = nowMs + settleCheckMs
    const heldBy = (name: string | undefined) =>
      adapters.find(({ machine }) => machine.name === name)?.watch?.held ?? new Set()
    const late = enforcers.filter(
      ({ watch, stream }) => watch?.checkConverged(heldBy(stream?.adapter)) !== true,
    )
    if (late.length === 0) return true
    if (nowMs - beganAtMs > settleLimitMs) {
      const names = late.map(({ machine }) => machine.name).join(', ')
      throw violation(
        'convergence',
        `${names} did not come to what their adapters know at the end of the log, ${cluster.leader.end?.position}`,
      )
    }
    return false
  }
}

const violationOf = (error: unknown): Violation =>
  error instanceof Violation
    ? error
    : violation('failure', error instanceof Error ? (error.stack ?? error.message) : String(error))
