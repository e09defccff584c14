/**
 * The benchmark `revoker`: revocations through HTTP, with and without waiting for enforcers, on each driver of the event
 * log, beside the same HTTP server answering at once.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMint } from '../../test/chaos/tokens.ts'
import type { Benchmark, BenchmarkOptions, Figures, Row } from '../benchmark.ts'
import { createCores } from '../load/cores.ts'
import { type DriverName, driversOf } from '../log/place.ts'
import { count, times } from '../report.ts'
import { rounded } from '../statistics.ts'
import { measureDriver, type RevokerFigures, tokensNeeded } from './driver.ts'

type Measured = ReadonlyMap<DriverName, RevokerFigures>

/** See the module. */
export const revokerBenchmark: Benchmark = {
  name: 'revoker',
  summary:
    'revocations over HTTP and confirmed ones, each driver of the log, beside a server that answers at once',
  run: async options => {
    const measured = await measureAll(driversOf(options.only), options)
    return { figures: figuresOf(measured), rows: [...measured].flatMap(rowsOf) }
  },
}

const measureAll = async (drivers: readonly DriverName[], options: BenchmarkOptions): Promise<Measured> => {
  const cores = createCores()
  if (!cores.pinned) options.progress('nothing is pinned to a core: that needs taskset and two cores')
  const folder = mkdtempSync(join(tmpdir(), 'rescind-bench-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', removeFolder)
  const mint = await startMint('RS256')
  try {
    const needed = tokensNeeded(options)
    options.progress(`signing ${count(needed)} tokens (RS256)`)
    const tokensFile = join(folder, 'tokens')
    writeFileSync(tokensFile, mint.mint('bench', needed).join('\n'))
    const measured = new Map<DriverName, RevokerFigures>()
    for (const driver of drivers)
      measured.set(driver, await measureDriver(driver, options, { mint, folder, cores, tokensFile }))
    return measured
  } finally {
    await mint.stop()
    process.off('exit', removeFolder)
    removeFolder()
  }
}

const names = [
  'revocationsPerSecond',
  'bareRequestsPerSecond',
  'ratioToBareServer',
  'revokeP50Ms',
  'revokeP99Ms',
  'confirmedP50Ms',
  'confirmedP99Ms',
] as const satisfies readonly (keyof RevokerFigures)[]

/** Of each figure there is one for each driver. */
const figuresOf = (measured: Measured): Figures => ({
  benchmark: 'revoker',
  ...Object.fromEntries(
    names.map(name => [
      name,
      Object.fromEntries([...measured].map(([driver, figures]) => [driver, rounded(figures[name])])),
    ]),
  ),
})

const milliseconds = (p50: number, p99: number): string => `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`

const rowsOf = ([driver, figures]: readonly [DriverName, RevokerFigures]): Row[] => [
  {
    what: `${driver}: revocations over HTTP, the revoker on one core`,
    value: `${count(figures.revocationsPerSecond)}/s`,
    beside: `${times(figures.ratioToBareServer)} the bare server (${count(figures.bareRequestsPerSecond)}/s)`,
  },
  {
    what: '  at 1,000/s, p50 / p99',
    value: milliseconds(figures.revokeP50Ms, figures.revokeP99Ms),
  },
  {
    what: '  confirmed by 3 enforcers, at 100/s, p50 / p99',
    value: milliseconds(figures.confirmedP50Ms, figures.confirmedP99Ms),
  },
]
