/**
 * Keeps what is measured and what makes the load apart: the server on one core, everything else on another.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { runCommand } from '../../test/services/command.ts'
import { findOnPath } from '../../test/services/component.ts'

/** Two groups of cores, if this machine has `taskset` and at least two. */
export interface Cores {
  /** False: nothing is pinned, and servers compete with their load. */
  readonly pinned: boolean
  /** Puts a running process, with all its threads, on the server's core. */
  giveServerCore(pid: number): Promise<void>
  /** Puts a running process, with all its threads, on the other cores. */
  giveLoadCores(pid: number): Promise<void>
}

/** The first core that this process may use for the server, the others for the load. */
export const createCores = (): Cores => {
  const taskset = findOnPath('taskset')
  const [first, ...others] = allowedCores()
  const pinned = taskset !== undefined && others.length > 0
  const pin = async (cores: readonly (number | undefined)[], pid: number): Promise<void> => {
    if (pinned)
      await runCommand(taskset, ['-a', '-p', '-c', cores.join(','), String(pid)], { timeoutMs: 5_000 })
  }
  return {
    pinned,
    giveServerCore: pid => pin([first], pid),
    giveLoadCores: pid => pin(others, pid),
  }
}

/** Numbers of the cores that this process may use; none where that cannot be told (not Linux). */
const allowedCores = (): readonly number[] => {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
    return list.split(',').flatMap(coresOfRange)
  } catch {
    return []
  }
}

/** `3` or `0-5`. */
const coresOfRange = (range: string): readonly number[] => {
  const [first = Number.NaN, last = first] = range.split('-').map(Number)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
