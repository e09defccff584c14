/**
 * The benchmark `log`: appending, catching up, and the time from a revocation to its enforcement, for each driver of the
 * event log, beside its bare client library.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMint } from '../../test/chaos/tokens.ts'
import type { Benchmark, BenchmarkOptions, Figures, Row } from '../benchmark.ts'
import { count, times } from '../report.ts'
import { rounded } from '../statistics.ts'
import { type DriverResult, measureDriver } from './driver.ts'
import { type DriverName, driversOf } from './place.ts'

type Measured = ReadonlyMap<DriverName, DriverResult>

/** See the module. */
export const logBenchmark: Benchmark = {
  name: 'log',
  summary: 'each driver of the event log, with 1 M live revocations, beside its bare client (about 12 min)',
  run: async options => {
    const measured = await measureAll(driversOf(options.only), options)
    return { figures: figuresOf(measured, options), rows: [...measured].flatMap(rowsOf) }
  },
}

const measureAll = async (drivers: readonly DriverName[], options: BenchmarkOptions): Promise<Measured> => {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-bench-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const mint = await startMint()
  try {
    const measured = new Map<DriverName, DriverResult>()
    for (const driver of drivers) measured.set(driver, await measureDriver(driver, options, { folder, mint }))
    return measured
  } finally {
    await mint.stop()
    process.off('exit', removeFolder)
    removeFolder()
  }
}

/** What each figure is; of each there is one for each driver. */
const figures: Readonly<Record<string, (result: DriverResult) => number>> = {
  catchUpMillionSeconds: ({ catchUp }) => catchUp.seconds,
  revokeToEnforcedP99Ms: ({ enforced }) => enforced.at1000.p99Ms,
  revokeToEnforcedP50Ms: ({ enforced }) => enforced.at1000.p50Ms,
  revokeToEnforcedP99MsAt100: ({ enforced }) => enforced.at100.p99Ms,
  revokeToEnforcedP50MsAt100: ({ enforced }) => enforced.at100.p50Ms,
  revocationsPerSecond: ({ enforced }) => enforced.at1000.perSecond,
  revokeToAnsweredP99Ms: ({ enforced }) => enforced.at1000.answeredP99Ms,
  revokeToAnsweredP50Ms: ({ enforced }) => enforced.at1000.answeredP50Ms,
  adapterLoopDelayP99Ms: ({ enforced }) => enforced.at1000.adapterLoopDelay.p99Ms,
  adapterLoopDelayMaxMs: ({ enforced }) => enforced.at1000.adapterLoopDelay.maxMs,
  catchUpBareSeconds: ({ catchUp }) => catchUp.bareSeconds,
  catchUpRatioToBare: ({ catchUp }) => catchUp.ratioToBare,
  catchUpCpuSeconds: ({ catchUp }) => catchUp.cpuSeconds,
  catchUpResidentMb: ({ catchUp }) => catchUp.residentMb,
  appendP50Ms: ({ append }) => append.p50Ms,
  appendP99Ms: ({ append }) => append.p99Ms,
  appendBareP50Ms: ({ append }) => append.bareP50Ms,
  appendBareP99Ms: ({ append }) => append.bareP99Ms,
  appendsPerSecond: ({ append }) => append.perSecond,
  appendsBarePerSecond: ({ append }) => append.barePerSecond,
  appendRatioToBare: ({ append }) => append.ratioToBare,
}

const figuresOf = (measured: Measured, { live, dataFolder }: BenchmarkOptions): Figures => ({
  benchmark: 'log',
  liveRevocations: live,
  dataFolder,
  ...Object.fromEntries(Object.entries(figures).map(([name, of]) => [name, byDriver(measured, of)])),
})

const byDriver = (measured: Measured, of: (result: DriverResult) => number) =>
  Object.fromEntries([...measured].map(([driver, result]) => [driver, rounded(of(result))]))

const milliseconds = (p50: number, p99: number): string => `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`

const rowsOf = ([driver, { append, catchUp, enforced }]: readonly [DriverName, DriverResult]): Row[] => [
  {
    what: `${driver}: append, one at a time, p50 / p99`,
    value: milliseconds(append.p50Ms, append.p99Ms),
    beside: `bare client ${milliseconds(append.bareP50Ms, append.bareP99Ms)}`,
  },
  {
    what: '  256 at once',
    value: `${count(append.perSecond)}/s`,
    beside: `${times(append.ratioToBare)} the bare client (${count(append.barePerSecond)}/s)`,
  },
  {
    what: '  catching up with everything',
    value: `${catchUp.seconds.toFixed(1)} s`,
    beside: `${times(catchUp.ratioToBare)} the bare client reading it (${catchUp.bareSeconds.toFixed(1)} s); ${count(catchUp.residentMb)} MB then`,
  },
  {
    what: `  revoke to enforced at 1,000/s (${count(enforced.at1000.perSecond)}/s), p50 / p99`,
    value: milliseconds(enforced.at1000.p50Ms, enforced.at1000.p99Ms),
    beside: `answered ${milliseconds(enforced.at1000.answeredP50Ms, enforced.at1000.answeredP99Ms)}; adapter's loop late ${milliseconds(enforced.at1000.adapterLoopDelay.p99Ms, enforced.at1000.adapterLoopDelay.maxMs)} (p99 / max)`,
  },
  {
    what: '  at 100/s',
    value: milliseconds(enforced.at100.p50Ms, enforced.at100.p99Ms),
    beside: `answered ${milliseconds(enforced.at100.answeredP50Ms, enforced.at100.answeredP99Ms)}`,
  },
]
