/**
 * Runs h2load, the load generator.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '../../test/support/child.ts'
import { until } from '../../test/support/condition.ts'
import type { Cores } from './cores.ts'
import { type Latencies, type Rate, readLog, readReport } from './h2load-output.ts'

/** A load. */
export interface Load {
  readonly url: string
  readonly headers: readonly string[]
  /** The file that each request sends; without it requests are GET. */
  readonly bodyFile?: string
  readonly connections: number
  readonly streamsPerConnection: number
  /** Requests per second; without it, as many as get answered. */
  readonly requestsPerSecond?: number
  readonly lasts: { readonly seconds: number } | { readonly requests: number }
}

/** What came of it. */
export interface LoadResult extends Rate, Latencies {}

/** Makes loads. */
export type LoadGenerator = (load: Load) => Promise<LoadResult>

/** Beyond the seconds that were asked for: for connecting, for requests that are counted, and on slow machines. */
const patienceMs = 600_000

/**
 * Loads by the h2load at a path. Rejects if a single request failed, or was answered with another status than 2xx:
 * what was measured then is not what was meant.
 *
 * @param folder for its log.
 */
export const createLoadGenerator =
  (binary: string, folder: string, cores: Cores): LoadGenerator =>
  async load => {
    const logFile = join(folder, 'h2load.log')
    const child = await startChild(binary, [...argumentsOf(load), `--log-file=${logFile}`, load.url])
    await cores.giveLoadCores(child.pid)
    try {
      await until('h2load ends', () => child.exitCode !== undefined, {
        timeoutMs: ('seconds' in load.lasts ? load.lasts.seconds * 1000 : 0) + patienceMs,
      })
    } finally {
      await child.stop()
    }
    return { ...readReport(child.output()), ...readLog(readFileSync(logFile, 'latin1')) }
  }

const argumentsOf = (load: Load): readonly string[] => [
  ...['-c', String(load.connections), '-m', String(load.streamsPerConnection)],
  ...('seconds' in load.lasts ? ['-D', String(load.lasts.seconds)] : ['-n', String(load.lasts.requests)]),
  ...load.headers.flatMap(header => ['-H', header]),
  ...(load.bodyFile === undefined ? [] : ['-d', load.bodyFile]),
  ...(load.requestsPerSecond === undefined
    ? []
    : ['--rps', String(load.requestsPerSecond / load.connections)]),
]
