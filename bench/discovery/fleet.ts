/**
 * Many cheap enforcers in a process of their own. The argument is JSON, see {@link FleetTask}; prints {@link FleetLine}
 * when all have what the adapter holds.
 *
 * @module
 */
import { until } from '../../test/support/condition.ts'
import { serveControl } from '../load/control.ts'
import { createHistogram } from '../load/histogram.ts'
import { tell } from '../load/program.ts'
import type { Fed } from './adapter.ts'
import { createMessageReader, startCheapEnforcer } from './cheap-enforcer.ts'
import { addLags } from './lags.ts'

/** How many, and what they hold. */
export interface FleetTask {
  readonly adapterPort: number
  readonly streams: number
  /** The adapter's version now. */
  readonly version: number
}

/** What is printed. */
export interface FleetLine {
  readonly controlPort: number
}

/** What it can be told. */
export type FleetCommands = typeof commands

/** What went over all connections so far. */
export interface Traffic {
  readonly bytes: number
  readonly messages: number
  readonly entries: number
}

/** From when a revocation was given to the adapter until it came, over all streams. */
export interface Lags {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** An adapter that cannot keep up is slow, and not broken. */
const reachedTimeoutMs = 600_000

const { adapterPort, streams, version }: FleetTask = JSON.parse(process.argv[2] as string)
const read = createMessageReader()
const onEnd = (reason: string) => {
  process.stderr.write(`a stream has ended: ${reason}\n`)
  process.exit(1)
}
const enforcers = Array.from({ length: streams }, (_, number) =>
  startCheapEnforcer({ adapterPort, instance: `bench-${number}`, version, read, onEnd }),
)
const reached = async (wanted: number) => {
  await until(
    `all streams have version ${wanted}`,
    () => enforcers.every(({ version: has = -1 }) => has >= wanted),
    { timeoutMs: reachedTimeoutMs },
  )
  return {}
}

const commands = {
  /** Resolves when all have a version. */
  reached: ({ version: wanted }: { version: number }) => reached(wanted),
  traffic: (_: object): Traffic => {
    const sum = (field: keyof Traffic) => enforcers.reduce((total, enforcer) => total + enforcer[field], 0)
    return { bytes: sum('bytes'), messages: sum('messages'), entries: sum('entries') }
  },
  /** Of revocations that all of them have. */
  lags: (fed: Fed): Lags => {
    const histogram = createHistogram()
    for (const { arrivals } of enforcers) addLags(histogram, fed, arrivals)
    const { maxMs, quantileMs } = histogram
    return { p50Ms: quantileMs(0.5), p99Ms: quantileMs(0.99), maxMs }
  },
}

await reached(version)
const line: FleetLine = { controlPort: await serveControl(commands) }
tell(line)
