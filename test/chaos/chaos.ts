/**
 * One run: revocations arrive, processes are killed, enforcers are asked; then everything is asked about everything.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../support/random.ts'
import { complaintsOf, linesAbout } from './evidence.ts'
import { type Load, startLoad } from './load.ts'
import type { LogName } from './log-server.ts'
import { drawKills, type Kill } from './plan.ts'
import { settle } from './settle.ts'
import type { Victim } from './victim.ts'
import { createWitness, type Witness } from './witness.ts'
import { type AtEnd, startWorld, type World } from './world.ts'

/** What a run does. */
export interface ChaosOptions {
  readonly log: LogName
  readonly kills: number
  /** The time over which the kills are spread. */
  readonly seconds: number
  /** Revocations per second. */
  readonly rate: number
  readonly seed: number
}

/** Who is told and who cleans up. */
export interface ChaosShell {
  readonly atEnd: AtEnd
  say(line: string): void
}

/** The figures of a run. */
export interface ChaosResult {
  readonly kills: number
  readonly killsByKind: Readonly<Record<string, number>>
  readonly sent: number
  readonly acknowledged: number
  /** Acknowledged tokens that an enforcer accepted in the end, or after it had rejected them. */
  readonly lost: number
  /** How often a token that was never revoked was denied. */
  readonly controlRejected: number
  /** Of what was sent while the log was up. */
  readonly acknowledgedShare: number
  readonly checks: number
  /** Checks of the last round that were not answered. */
  readonly checksFailed: number
  readonly log: LogName
  readonly seed: number
}

const controlCount = 100
const acknowledgedShareMin = 0.9
const progressMs = 5_000
/** Tokens for a run that takes longer than planned: so much longer, and so many seconds. */
const spareFactor = 1.5
const spareSeconds = 20
const shownLimit = 20

/** Runs, and tells what was found. Rejects if something does not start (again), or ends by itself. */
export async function runChaos(
  options: ChaosOptions,
  { atEnd, say }: ChaosShell,
): Promise<{ result: ChaosResult; problems: readonly string[] }> {
  const { log, kills, seconds, rate, seed } = options
  const random = createRandom(seed)
  say(`seed ${seed}; starting everything on the ${log} log`)
  const world = await startWorld(log, atEnd)
  const tokens = world.mint.mint('token', Math.ceil(rate * (seconds * spareFactor + spareSeconds)))
  const controls = world.mint.mint('control', controlCount)
  say(`${tokens.length} tokens; ${kills} kills over ${seconds} s`)

  const plan = drawKills(
    world.victims.map(({ kind }) => kind),
    { kills, spanMs: seconds * 1_000 },
    random,
  )
  const load = startLoad({ revokers: world.revokers, tokens, rate })
  const witnesses = world.enforcers.map(enforcer =>
    createWitness({ enforcer, tokens, controls, acknowledged: load.acknowledged, random }),
  )
  for (const witness of witnesses) witness.start()
  const progress = setInterval(() => say(standOf(load, witnesses)), progressMs)
  atEnd(async () => {
    clearInterval(progress)
    for (const witness of witnesses) witness.close()
  })

  await Promise.all(plan.map(kill => carryOut(kill, world.victims, say)))
  await load.stop()
  say(`all are up again; ${standOf(load, witnesses)}`)
  for (const witness of witnesses) await witness.stop()
  const version = await settle(world)
  say(`all enforcers have version ${version}; each is asked about ${load.acknowledged.length} tokens`)
  const failed = await Promise.all(witnesses.map(witness => witness.askAll()))
  clearInterval(progress)

  for (const line of await complaintsOf(world)) say(line)
  for (const line of await evidenceOf(world, witnesses)) say(line)
  const result: ChaosResult = {
    kills: plan.length,
    killsByKind: countKinds(plan, world.victims),
    sent: load.sent,
    acknowledged: load.acknowledged.length,
    lost: new Set(witnesses.flatMap(({ escapes }) => escapes.map(({ token }) => token))).size,
    controlRejected: sumOf(witnesses, ({ deniedControls }) => deniedControls.length),
    acknowledgedShare: Number(load.acknowledgedShare(world.log.outages).toFixed(4)),
    checks: sumOf(witnesses, ({ decided }) => decided),
    checksFailed: failed.reduce((sum, count) => sum + count, 0),
    log,
    seed,
  }
  return { result, problems: problemsOf(result) }
}

async function carryOut(kill: Kill, victims: readonly Victim[], say: (line: string) => void): Promise<void> {
  const victim = victims[kill.victim] as Victim
  await pause(kill.atMs)
  const { fromMs, toMs } = await victim.strike(kill)
  say(`${victim.name} was killed and is back after ${((toMs - fromMs) / 1_000).toFixed(1)} s`)
}

const sumOf = (witnesses: readonly Witness[], count: (witness: Witness) => number): number =>
  witnesses.reduce((sum, witness) => sum + count(witness), 0)

const standOf = ({ sent, acknowledged, answers }: Load, witnesses: readonly Witness[]): string => {
  const statuses = [...answers].map(([status, count]) => `${count} x ${status || 'none'}`).join(', ')
  const decided = sumOf(witnesses, witness => witness.decided)
  const undecided = sumOf(witnesses, witness => witness.undecided)
  return `${sent} sent, ${acknowledged.length} acknowledged (answers: ${statuses}); ${decided} checks decided, ${undecided} not`
}

function countKinds(plan: readonly Kill[], victims: readonly Victim[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { victim } of plan) {
    const { kind } = victims[victim] as Victim
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** What helps to find out why a token escaped. */
async function evidenceOf(world: World, witnesses: readonly Witness[]): Promise<readonly string[]> {
  const lines = witnesses.flatMap(({ deniedControls }) => deniedControls).map(denied => `control: ${denied}`)
  const escapes = witnesses.flatMap(witness => witness.escapes)
  for (const { enforcer, token, version, found } of escapes.slice(0, shownLimit)) {
    lines.push(`${enforcer} at version ${version}: token-${token} is ${found}`)
    lines.push(...(await linesAbout(world, `token-${token}`)))
  }
  return lines
}

function problemsOf(result: ChaosResult): readonly string[] {
  const { lost, controlRejected, checksFailed, acknowledgedShare } = result
  const problems = [
    lost > 0 && `${lost} acknowledged tokens were accepted`,
    controlRejected > 0 && `tokens that were never revoked were denied ${controlRejected} times`,
    checksFailed > 0 && `${checksFailed} checks of the last round were not answered`,
    // Not the other way round: a share of nothing is not a number.
    !(acknowledgedShare >= acknowledgedShareMin) &&
      `of what was sent while the log was up, the share ${acknowledgedShare} was acknowledged; ${acknowledgedShareMin} is needed`,
  ]
  return problems.filter(problem => problem !== false)
}
