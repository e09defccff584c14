/**
 * Whether checks wait while a full state arrives: an enforcer is asked at a steady rate for tokens that it has seen
 * before, in turns at rest and while one full state after the other replaces what it holds.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expectAllowed, expectRevoked } from '../check/ask.ts'
import { createCheckRequests, createToken } from '../check/request.ts'
import { clockMs } from '../load/clock.ts'
import { type Control, createControl } from '../load/control.ts'
import { startProgram } from '../load/program.ts'
import { count } from '../report.ts'
import { typical, typicalRatio } from '../statistics.ts'
import type { CheckerCommands, CheckerLine, CheckerTask, CheckLatencies } from './checker.ts'
import { sendFullState } from './full-state.ts'
import { type RunningAdapter, type RunningEnforcer, type Setting, withEnforcer } from './setting.ts'

/** What was found. */
export interface Loading {
  readonly p99RatioToIdle: number
  readonly idle: CheckLatencies
  readonly loading: CheckLatencies
  /** How long one full state took under this load. */
  readonly fullStateSeconds: number
}

/** The rate of the checks. */
export const checksPerSecond = 1_000

const warmUpSeconds = 5
const lowestPriority = 19
/** A token that the generated log revokes, see `revocationOf`. */
const revokedJti = 'other-1'

/** Measures an enforcer alone on a core. */
export const measureLoading = (setting: Setting, adapter: RunningAdapter): Promise<Loading> =>
  withEnforcer(setting, adapter, async enforcer => {
    const requestOf = createCheckRequests()
    const good = requestOf((await createToken(setting.issuer, 'good')).text)
    const revoked = requestOf((await createToken(setting.issuer, revokedJti)).text)
    const expectAnswers = async () => {
      await expectAllowed('the enforcer', enforcer.port, good)
      await expectRevoked('the enforcer', enforcer.port, revoked)
    }
    await expectAnswers()
    // The checks come from the adapter's core, and must not wait for the adapter.
    setPriority(adapter.pid, lowestPriority)
    const requestFile = join(setting.folder, 'check-request')
    writeFileSync(requestFile, good)
    const task: CheckerTask = { port: enforcer.port, requestFile, perSecond: checksPerSecond }
    const { child, line } = await startProgram<CheckerLine>('discovery/checker', {
      args: [JSON.stringify(task)],
      place: setting.cores.giveLoadCores,
    })
    try {
      return await measureTurns(
        setting,
        createControl<CheckerCommands>(line.controlPort, child),
        createLoader(adapter, enforcer),
      )
    } finally {
      await child.stop()
      await expectAnswers()
    }
  })

/** Sends full states for so many seconds, and at least one; resolves to how many. */
type Loader = (seconds: number) => Promise<number>

const createLoader =
  (adapter: RunningAdapter, enforcer: RunningEnforcer): Loader =>
  async seconds => {
    const untilMs = clockMs() + seconds * 1_000
    let loaded = 0
    while (loaded === 0 || clockMs() < untilMs) {
      await sendFullState(adapter, enforcer, false)
      loaded += 1
    }
    return loaded
  }

const measureTurns = async (
  { options }: Setting,
  checker: Control<CheckerCommands>,
  load: Loader,
): Promise<Loading> => {
  const { rounds, seconds, progress } = options
  const idle: CheckLatencies[] = []
  const loading: CheckLatencies[] = []
  let [fullStates, loadedMs] = [0, 0]
  progress(`${count(checksPerSecond)} checks a second: warming up`)
  await pause(warmUpSeconds * 1_000)
  await load(0)
  for (let round = 1; round <= rounds; round++) {
    progress(`checks at rest and while loading, round ${round} of ${rounds}`)
    await checker('atRest', {})
    const startMs = clockMs()
    await pause(seconds * 1_000)
    const betweenMs = clockMs()
    fullStates += await load(seconds)
    const endMs = clockMs()
    loadedMs += endMs - betweenMs
    idle.push(await checker('latencies', { fromMs: startMs, untilMs: betweenMs }))
    loading.push(await checker('latencies', { fromMs: betweenMs, untilMs: endMs }))
  }
  const p99s = (windows: readonly CheckLatencies[]) => windows.map(({ p99Ms }) => p99Ms)
  return {
    p99RatioToIdle: typicalRatio(p99s(loading), p99s(idle)),
    idle: together(idle),
    loading: together(loading),
    fullStateSeconds: loadedMs / 1_000 / fullStates,
  }
}

const together = (windows: readonly CheckLatencies[]): CheckLatencies => ({
  count: windows.reduce((sum, window) => sum + window.count, 0),
  p50Ms: typical(windows.map(({ p50Ms }) => p50Ms)),
  p99Ms: typical(windows.map(({ p99Ms }) => p99Ms)),
  maxMs: Math.max(...windows.map(({ maxMs }) => maxMs)),
})
