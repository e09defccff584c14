/**
 * Preloaded into a process that is measured: at each SIGUSR2 it writes how long its event loop was held up since the one
 * before, as JSON, to the file that BENCH_LOOP_DELAY_FILE names.
 *
 * @module
 */
import { renameSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What is written. */
export interface LoopDelay {
  /** How often it was written. */
  readonly number: number
  readonly p99Ms: number
  readonly maxMs: number
}

const resolutionMs = 5
const file = process.env.BENCH_LOOP_DELAY_FILE ?? ''
const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
histogram.enable()
let number = 0

process.on('SIGUSR2', () => {
  // A timer that is on time counts with its whole period.
  const msOf = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs)
  number += 1
  const delay: LoopDelay = { number, p99Ms: msOf(histogram.percentile(99)), maxMs: msOf(histogram.max) }
  histogram.reset()
  writeFileSync(`${file}.new`, JSON.stringify(delay))
  renameSync(`${file}.new`, file)
})
