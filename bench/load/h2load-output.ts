/**
 * Reads what h2load writes.
 *
 * @module
 */
import { quantile } from '../statistics.ts'

/** How much was answered. */
export interface Rate {
  readonly requests: number
  readonly requestsPerSecond: number
}

/** How long it took, from request to end of response. */
export interface Latencies {
  readonly p50Ms: number
  readonly p99Ms: number
}

const finishedLine = /^finished in [^,]+, ([\d.]+) req\/s/m
const requestsLine =
  /^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m
const statusLine = /^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m

/**
 * Reads the report on stdout. Throws if h2load did not finish, or if a single request failed or was answered with
 * another status than 2xx.
 */
export const readReport = (output: string): Rate => {
  const [rate, requests, statuses] = [finishedLine, requestsLine, statusLine].map(line => line.exec(output))
  if (!rate || !requests || !statuses) throw new Error(`h2load did not finish: ${lastLine(output)}`)
  const bad = [...requests.slice(2), ...statuses.slice(1)].some(number => number !== '0')
  if (bad || requests[1] === '0')
    throw new Error(`not every request went well: ${requests[0]}; ${statuses[0]}`)
  return { requests: Number(requests[1]), requestsPerSecond: Number(rate[1]) }
}

/** Reads the log, which has a line for each request: its start, its status, and the microseconds that it took. */
export const readLog = (log: string): Latencies => {
  const micros = Float64Array.from(log.trimEnd().split('\n'), line => Number(line.split('\t')[2])).sort()
  return { p50Ms: quantile(micros, 0.5) / 1000, p99Ms: quantile(micros, 0.99) / 1000 }
}

const lastLine = (output: string): string => output.trimEnd().split('\n').at(-1) ?? 'no output'
