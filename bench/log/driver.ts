/**
 * Measures one driver: appending, catching up, and the time from a revocation to its enforcement.
 *
 * @module
 */
import type { TokenMint } from '../../test/chaos/tokens.ts'
import type { BenchmarkOptions } from '../benchmark.ts'
import { fillOpenLog } from '../check/revocations.ts'
import { runProgram } from '../load/program.ts'
import { count } from '../report.ts'
import { typical, typicalRatio } from '../statistics.ts'
import type { AppendResult, AppendTask } from './append.ts'
import type { CatchUpResult, CatchUpTask } from './catch-up.ts'
import { type EnforcedResult, measureEnforced } from './enforced.ts'
import { startLogServer } from './log-server.ts'
import { type DriverName, type LogPlace, openLogAt } from './place.ts'

/** What was found of a driver. */
export interface DriverResult {
  readonly append: AppendResult
  readonly catchUp: CatchUpFigures
  readonly enforced: EnforcedResult
}

/** How long it takes to read everything. */
export interface CatchUpFigures {
  readonly seconds: number
  readonly bareSeconds: number
  /** How many times as long as the bare client it takes. */
  readonly ratioToBare: number
  readonly cpuSeconds: number
  readonly residentMb: number
}

/** How much longer revocations are sent at each rate than a window of the other parts lasts. */
const windowsAtRate = 10

/** Measures a driver on a server of its own. */
export async function measureDriver(
  driver: DriverName,
  options: BenchmarkOptions,
  { folder, mint }: { readonly folder: string; readonly mint: TokenMint },
): Promise<DriverResult> {
  const { seconds, live: keys, dataFolder, progress } = options
  progress(`${driver}: starting its server`)
  const server = await startLogServer(driver, folder)
  try {
    const append = await measureAppend(server.placeOf('append'), options)
    const place = server.placeOf('full')
    await fill(place, mint.issuer, options)
    const catchUp = await measureCatchUp(place, options)
    const enforced = await measureEnforced({
      ...{ place, mint, folder, dataFolder, keys, progress },
      seconds: seconds * windowsAtRate,
    })
    return { append, catchUp, enforced }
  } finally {
    await server.stop()
  }
}

/** Programs are not pinned: servers and clients share the machine as they would. */
const anywhere = async () => undefined

function measureAppend(place: LogPlace, { seconds, rounds, progress }: BenchmarkOptions) {
  progress(`${place.driver}: appending, in turns with the bare client, ${rounds} rounds`)
  const task: AppendTask = { place, seconds, rounds }
  return runProgram<AppendResult>('log/append', { args: [JSON.stringify(task)], place: anywhere })
}

async function fill(place: LogPlace, issuer: string, { live, progress }: BenchmarkOptions): Promise<void> {
  progress(`${place.driver}: filling a log with ${count(live)} revocations`)
  const log = await openLogAt(place, { writes: true })
  try {
    await fillOpenLog(log, issuer, 'first', live - 1)
  } finally {
    await log.close()
  }
}

async function measureCatchUp(
  place: LogPlace,
  { live, rounds, progress }: BenchmarkOptions,
): Promise<CatchUpFigures> {
  const read = (reader: CatchUpTask['reader']) => {
    const task: CatchUpTask = { place, reader, keys: live }
    return runProgram<CatchUpResult>('log/catch-up', { args: [JSON.stringify(task)], place: anywhere })
  }
  const followed: CatchUpResult[] = []
  const bare: CatchUpResult[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`${place.driver}: catching up, round ${round} of ${rounds}`)
    followed.push(await read('follower'))
    bare.push(await read('bare'))
  }
  const of = (results: readonly CatchUpResult[], field: keyof CatchUpResult) =>
    typical(results.map(result => result[field]))
  return {
    seconds: of(followed, 'seconds'),
    bareSeconds: of(bare, 'seconds'),
    ratioToBare: typicalRatio(
      followed.map(({ seconds }) => seconds),
      bare.map(({ seconds }) => seconds),
    ),
    cpuSeconds: of(followed, 'cpuSeconds'),
    residentMb: of(followed, 'residentMb'),
  }
}
