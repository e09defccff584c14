/**
 * Child processes that never outlive this one: their output is kept, and they are killed when this process ends.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const outputLimitChars = 4 * 1024 * 1024
const stopTimeoutMs = 10_000

/** A running program. */
export interface Child {
  readonly pid: number
  /** What it wrote to stdout and stderr so far (the last 4 M characters). */
  output(): string
  /** Its exit code; null if a signal ended it, undefined while it runs. */
  readonly exitCode: number | null | undefined
  /** Sends the signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** SIGTERM, and SIGKILL if it is still there after 10 s; resolves when it has ended. Harmless when repeated. */
  stop(): Promise<void>
}

/** Starts `command`. Throws if there is no such program. */
export const startChild = async (
  command: string,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): Promise<Child> => {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputLimitChars)
    })
  let exitCode: number | null | undefined
  const ended = new Promise<void>(resolve => {
    child.once('close', code => {
      exitCode = code
      running.delete(child)
      resolve()
    })
  })
  await once(child, 'spawn')
  killAtExit(child)

  const kill = (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    return ended
  }
  return {
    pid: child.pid!,
    output: () => output,
    get exitCode() {
      return exitCode
    },
    kill,
    stop: () => stop(child, ended),
  }
}

const stop = async (child: ChildProcess, ended: Promise<void>): Promise<void> => {
  child.kill('SIGTERM')
  const patience = new AbortController()
  const impatient = delay(stopTimeoutMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  )
  await Promise.race([ended, impatient])
  patience.abort()
  await ended
}

const running = new Set<ChildProcess>()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
let watching = false

const killAll = (): void => {
  for (const child of running) child.kill('SIGKILL')
}

const killAtExit = (child: ChildProcess): void => {
  running.add(child)
  if (watching) return
  watching = true
  process.on('exit', killAll)
  for (const signal of signals) process.on(signal, onSignal)
}

/** A signal would end this process without an 'exit' event; a program that handles it itself stays in charge. */
const onSignal = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return
  killAll()
  process.off(signal, onSignal)
  process.kill(process.pid, signal)
}
