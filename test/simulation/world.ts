/**
 * What all parts of a simulation share: its time, its dice, its trace, and the processes that live in it.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Dice } from '../support/random.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { createTrace, type Trace } from './trace.ts'

/** A machine: its clock differs from the others', and from one moment to the next. */
export interface Machine {
  readonly name: string
  /** Milliseconds by which its wall clock is ahead of the true time. */
  clockAheadMs: number
}

/** A process on a machine; when it is killed nothing of it happens any more. */
export interface Process {
  readonly machine: Machine
  readonly clock: Clock
  readonly logger: Logger
  readonly isAlive: boolean
  /** Aborts when the process is killed. */
  readonly killed: AbortSignal
  /** Runs something of this process now, if it is alive. */
  run(action: () => void): void
  kill(): void
}

/** What is shared. */
export interface World {
  readonly scheduler: Scheduler
  readonly dice: Dice
  readonly trace: Trace
  /** True wall clock, milliseconds since 1970. */
  wallMs(): number
  /** All machines sleep for so long: wall clocks go on, nothing else does. */
  sleep(ms: number): void
  startProcess(machine: Machine): Process
  /** Ends the simulation: something happened that must not. */
  fail(error: unknown): void
  /** What it was ended with. */
  readonly failure: { readonly error: unknown } | undefined
  /** Names of machines of which something ran since this was last asked. */
  takeActive(): ReadonlySet<string>
}

const beginMs = Date.UTC(2026, 0, 1)

/** An empty world; its trace keeps the last `traceLimit` events. */
export function createWorld(dice: Dice, traceLimit: number): World {
  const scheduler = createScheduler()
  const trace = createTrace(traceLimit, () => scheduler.nowMs)
  let asleepMs = 0
  let active = new Set<string>()
  let failure: { readonly error: unknown } | undefined
  const wallMs = () => beginMs + scheduler.nowMs + asleepMs

  const startProcess = (machine: Machine): Process => {
    const killed = new AbortController()
    setMaxListeners(0, killed.signal)
    const bootMs = scheduler.nowMs - dice.int(1_000_000)
    const run = (action: () => void) => {
      if (killed.signal.aborted) return
      active.add(machine.name)
      action()
    }
    const after = (ms: number, action: () => void) => scheduler.after(ms, () => run(action))
    return {
      machine,
      get isAlive() {
        return !killed.signal.aborted
      },
      killed: killed.signal,
      run,
      kill: () => killed.abort(),
      logger: loggerOf(machine.name, trace),
      clock: {
        wallMs: () => wallMs() + machine.clockAheadMs,
        monotonicMs: () => scheduler.nowMs - bootMs,
        sleep: (ms, signal) =>
          new Promise(done => {
            if (signal?.aborted) return done()
            const stop = after(ms, () => {
              signal?.removeEventListener('abort', onAbort)
              done()
            })
            const onAbort = () => {
              stop()
              done()
            }
            signal?.addEventListener('abort', onAbort, { once: true })
          }),
        turn: () => new Promise(done => after(0, done)),
        after,
        every: (ms, action) => {
          let stop: () => void = () => undefined
          const again = () => {
            stop = after(ms, () => {
              again()
              action()
            })
          }
          again()
          return () => stop()
        },
      },
    }
  }

  return {
    scheduler,
    dice,
    trace,
    wallMs,
    sleep: ms => {
      asleepMs += ms
    },
    startProcess,
    fail: error => {
      failure ??= { error }
    },
    get failure() {
      return failure
    },
    takeActive: () => {
      const taken = active
      active = new Set()
      return taken
    },
  }
}

function loggerOf(name: string, trace: Trace): Logger {
  const ignore = () => undefined
  const tell = (_fields: object, message: string) => trace.add(name, message)
  return { level: 'info', trace: ignore, debug: ignore, info: ignore, warn: tell, error: tell, fatal: tell }
}
