/**
 * A `rescind` process that is killed and started again on the same ports and folders; what it logs goes to a file.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Role } from '../../cli/roles.ts'
import { type Child, startChild } from '../support/child.ts'
import { until } from '../support/condition.ts'
import { projectRoot } from '../support/project.ts'
import { createTurns, createVictim, type Turns, type Victim } from './victim.ts'

/** What to run. */
export interface NodeOptions {
  /** Names its files, too. */
  readonly name: string
  readonly role: Role
  readonly config: object
  /** Admin ports of which each must answer that it is ready. */
  readonly adminPorts: readonly number[]
  /** Where its configuration and log files are. */
  readonly folder: string
  /** See `VictimOptions` in victim.ts. */
  readonly over: AbortSignal
  readonly turns?: Turns
}

/** A running process. */
export interface Node extends Victim {
  /** Throws, with the end of its log, if it has ended by itself. */
  checkAlive(): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}

/** What it needs may be killed as well meanwhile, again and again. */
const readyTimeoutMs = 180_000
const shownChars = 2_000

/** The file that a process logs to. */
export const logFileOf = (folder: string, name: string): string => join(folder, `${name}.log`)

/** Starts a process; resolves when it is ready. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { name, role, config, adminPorts, folder, over, turns = createTurns() } = options
  const configFile = join(folder, `${name}.yaml`)
  const logFile = logFileOf(folder, name)
  const main = join(projectRoot, 'dist', 'cli', 'main.js')
  await writeFile(configFile, stringify(config))
  let child: Child

  const start = async () => {
    const command = [process.execPath, main, role, '--config', configFile]
    // The log does not go through this process, which is busy enough.
    child = await startChild('sh', ['-c', 'exec "$@" >>"$0" 2>&1', logFile, ...command])
    await until(`${name} is ready`, async () => (await Promise.all(adminPorts.map(isReady))).every(Boolean), {
      timeoutMs: readyTimeoutMs,
      giveUp: () => (child.exitCode === undefined ? undefined : `it ended with ${child.exitCode}`),
    }).catch(explain)
  }

  const explain = async (error: unknown) => {
    const log = await readFile(logFile, 'utf8')
    throw new Error(`${(error as Error).message}\n${log.slice(-shownChars)}`)
  }

  const checkAlive = async () => {
    if (child.exitCode !== undefined) await explain(new Error(`${name} ended with ${child.exitCode}`))
  }

  await start()
  const kill = async () => {
    await checkAlive()
    await child.kill('SIGKILL')
  }
  const victim = createVictim({ name, kind: role, kill, start, over, turns })
  return { ...victim, checkAlive, stop: () => child.kill('SIGKILL') }
}

const isReady = async (port: number): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200
