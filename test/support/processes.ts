/**
 * Runs the built `rescind` command with a configuration of its own, as its users do.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Child, startChild } from './child.ts'
import { until } from './condition.ts'
import { projectRoot } from './project.ts'

/** One line of the JSON log, as pino writes it. */
export type LogLine = Readonly<Record<string, unknown>>

/** How `rescind` is to be run. */
export interface RescindOptions {
  /** What is written to rescind.yaml. */
  readonly config: object
  readonly env?: Readonly<Record<string, string>>
  /** Which log line says that it is ready; one with `msg: "ready"` if not given. */
  ready?(line: LogLine): boolean
  readonly timeoutMs?: number
}

/** A running `rescind`. */
export interface RescindProcess extends Child {
  /** The lines of its JSON log so far; other output is left out. */
  logs(): readonly LogLine[]
}

/** Starts `rescind ARGS --config FILE` and waits until it is ready. Throws with its output if it does not get there. */
export const startRescind = async (
  args: readonly string[],
  options: RescindOptions,
): Promise<RescindProcess> => {
  const { child, removeConfig } = await spawnRescind(args, options)
  const logs = (): readonly LogLine[] => parseLog(child.output())
  const isReady = options.ready ?? (line => line.msg === 'ready')
  const name = `rescind ${args.join(' ')}`
  const stop = async (): Promise<void> => {
    await child.stop()
    removeConfig()
  }
  try {
    await until(`${name} is ready`, () => logs().some(isReady), {
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      giveUp: () => (child.exitCode === undefined ? undefined : `it ended with ${child.exitCode}`),
    })
  } catch (error) {
    await stop()
    throw new Error(`${(error as Error).message}\n${child.output()}`, { cause: error })
  }
  return {
    pid: child.pid,
    output: child.output,
    logs,
    get exitCode() {
      return child.exitCode
    },
    kill: child.kill,
    stop,
  }
}

const spawnRescind = async (
  args: readonly string[],
  options: Pick<RescindOptions, 'config' | 'env'>,
): Promise<{ child: Child; removeConfig: () => void }> => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-config-'))
  const file = join(folder, 'rescind.yaml')
  writeFileSync(file, stringify(options.config))
  const main = join(projectRoot, 'dist', 'cli', 'main.js')
  const child = await startChild(process.execPath, [main, ...args, '--config', file], {
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  return { child, removeConfig: () => rmSync(folder, { recursive: true, force: true }) }
}

const parseLog = (output: string): readonly LogLine[] =>
  output
    .split('\n')
    .slice(0, -1)
    .filter(line => line.startsWith('{'))
    .flatMap(parseLine)

const parseLine = (line: string): LogLine[] => {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
