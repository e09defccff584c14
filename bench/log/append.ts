/**
 * Appends to a log and to the bare client library in turns, one event at a time and many at once, and prints what it
 * found. The argument is JSON, see {@link AppendTask}.
 *
 * @module
 */
import type { EventLog } from '../../event-log/event-log.ts'
import { revocationEvents } from '../check/revocations.ts'
import { tell } from '../load/program.ts'
import { quantile, typical, typicalRatio } from '../statistics.ts'
import type { BareClient } from './bare/bare-client.ts'
import { openBareClient } from './bare/open-bare-client.ts'
import { type LogPlace, openLogAt } from './place.ts'

/** Where and how long. */
export interface AppendTask {
  readonly place: LogPlace
  readonly seconds: number
  readonly rounds: number
}

/** What is printed. */
export interface AppendResult {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly bareP50Ms: number
  readonly bareP99Ms: number
  readonly perSecond: number
  readonly barePerSecond: number
  readonly ratioToBare: number
}

/** Appends that wait for their answer at the same time. */
const outstanding = 256

/** Runs `write` again and again; the milliseconds that each took, sorted. */
const timesOf = async (seconds: number, write: () => Promise<unknown>): Promise<Float64Array> => {
  const times: number[] = []
  const endMs = performance.now() + seconds * 1_000
  for (let nowMs = performance.now(); nowMs < endMs; ) {
    await write()
    const afterMs = performance.now()
    times.push(afterMs - nowMs)
    nowMs = afterMs
  }
  return Float64Array.from(times).sort()
}

/** Keeps so many appends under way; how many were done in a second. */
const rateOf = async (seconds: number, log: EventLog, next: () => Buffer): Promise<number> => {
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  let done = 0
  const appendOn = async () => {
    for (; performance.now() < endMs; done++) await log.append(next())
  }
  await Promise.all(Array.from({ length: outstanding }, appendOn))
  return (done * 1_000) / (performance.now() - startMs)
}

/** The same with the bare client, which is given as many at once. */
const bareRateOf = async (seconds: number, bare: BareClient, next: () => Buffer): Promise<number> => {
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  let done = 0
  for (; performance.now() < endMs; done += outstanding) {
    await bare.write(Array.from({ length: outstanding }, next))
  }
  return (done * 1_000) / (performance.now() - startMs)
}

const measure = async ({ place, seconds, rounds }: AppendTask): Promise<AppendResult> => {
  const log = await openLogAt(place, { writes: true })
  const bare = await openBareClient(place)
  const events = [...revocationEvents('https://issuer.example', 'first', 999)]
  let number = 0
  const next = () => events[number++ % events.length] as Buffer
  const windows = {
    single: () => timesOf(seconds, () => log.append(next())),
    bareSingle: () => timesOf(seconds, () => bare.write([next()])),
    many: () => rateOf(seconds, log, next),
    bareMany: () => bareRateOf(seconds, bare, next),
  }
  const singles: Float64Array[] = []
  const bareSingles: Float64Array[] = []
  const rates: number[] = []
  const bareRates: number[] = []
  // The first round, from -1, is there to warm up.
  for (let round = -1; round < rounds; round++) {
    const samples = [await windows.single(), await windows.bareSingle()] as const
    const rate = [await windows.many(), await windows.bareMany()] as const
    if (round < 0) continue
    singles.push(samples[0])
    bareSingles.push(samples[1])
    rates.push(rate[0])
    bareRates.push(rate[1])
  }
  await bare.close()
  await log.close()
  const of = (samples: readonly Float64Array[], share: number) =>
    typical(samples.map(sorted => quantile(sorted, share)))
  return {
    p50Ms: of(singles, 0.5),
    p99Ms: of(singles, 0.99),
    bareP50Ms: of(bareSingles, 0.5),
    bareP99Ms: of(bareSingles, 0.99),
    perSecond: typical(rates),
    barePerSecond: typical(bareRates),
    ratioToBare: typicalRatio(rates, bareRates),
  }
}

tell(await measure(JSON.parse(process.argv[2] as string)))
