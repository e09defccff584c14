/**
 * The figures of the benchmark `discovery`, and its table. What was not measured is not in them.
 *
 * @module
 */
import type { BenchmarkOptions, BenchmarkResult, Figure, Row } from '../benchmark.ts'
import { count, times } from '../report.ts'
import { rounded } from '../statistics.ts'
import type { ColdStart } from './cold-start.ts'
import type { Holding } from './holding.ts'
import { checksPerSecond, type Loading } from './loading.ts'
import type { Restart } from './restart.ts'
import { revocationsPerSecond, type Streaming } from './streams.ts'

/** What was measured of what was asked for. */
export interface Measured {
  readonly coldStartMillion?: ColdStart
  readonly loading?: Loading
  readonly streaming?: readonly Streaming[]
  readonly coldStartTenMillion?: ColdStart
  readonly holding?: Holding
  readonly restart?: Restart
}

type Numbers = Readonly<Record<string, number>>

/** Figures and table of what was measured. */
export const resultOf = (measured: Measured, { live, millionOnly }: BenchmarkOptions): BenchmarkResult => {
  const { coldStartMillion, loading, streaming, coldStartTenMillion, holding, restart } = measured
  const figures: Numbers = {
    ...of(coldStartMillion, found => coldStartFigures(found, 'Million')),
    ...of(coldStartTenMillion, found => coldStartFigures(found, 'TenMillion')),
    ...of(holding, holdingFigures),
    ...of(streaming, found => Object.assign({}, ...found.map(streamingFigures))),
    ...of(loading, loadingFigures),
    ...of(restart, restartFigures),
  }
  const roundedFigures: Record<string, Figure> = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, rounded(value)]),
  )
  return {
    figures: { benchmark: 'discovery', ...roundedFigures, liveRevocations: live, millionOnly },
    rows: [
      ...(coldStartMillion === undefined ? [] : [coldStartRow(coldStartMillion, live)]),
      ...(coldStartTenMillion === undefined ? [] : [coldStartRow(coldStartTenMillion, live * 10)]),
      ...(holding === undefined ? [] : holdingRows(holding, live * 10)),
      ...(streaming ?? []).flatMap(streamingRows),
      ...(loading === undefined ? [] : loadingRows(loading)),
      ...(restart === undefined ? [] : [restartRow(restart, live * 10)]),
    ],
  }
}

const of = <Found>(found: Found | undefined, figures: (found: Found) => Numbers): Numbers =>
  found === undefined ? {} : figures(found)

const coldStartFigures = (found: ColdStart, scale: 'Million' | 'TenMillion'): Numbers => ({
  [`coldStart${scale}Seconds`]: found.seconds,
  [`coldStart${scale}SecondsWithProcess`]: found.withProcessSeconds,
  [`bareStream${scale}Seconds`]: found.bareStreamSeconds,
  [`coldStart${scale}RatioToBareStream`]: found.ratioToBareStream,
})

const holdingFigures = (found: Holding): Numbers => ({
  enforcerRssTenMillionMb: found.enforcer.residentMb,
  enforcerRssAnonTenMillionMb: found.enforcer.anonymousMb,
  enforcerRssUncollectedTenMillionMb: found.enforcerAtFirst.residentMb,
  enforcerRssPeakTenMillionMb: found.enforcerAtFirst.peakMb,
  enforcerRssSwapPeakMb: found.swapPeakMb,
  enforcerRssRolledBackSwapPeakMb: found.rolledBackSwapPeakMb,
  adapterRssTenMillionMb: found.adapter.residentMb,
  adapterRssAnonTenMillionMb: found.adapter.anonymousMb,
  adapterRssPeakTenMillionMb: found.adapter.peakMb,
})

const countNames: Readonly<Record<number, string>> = { 1: 'one', 100: 'hundred', 1000: 'thousand' }

/** The bytes that have no number in their name are those at 1,000 streams. */
const streamingFigures = (found: Streaming): Numbers => {
  const name = `${countNames[found.streams]}${found.streams === 1 ? 'Stream' : 'Streams'}`
  return {
    ...(found.streams === 1_000 ? { wireBytesPerRevocation: found.wireBytesPerRevocation } : {}),
    [`${name}WireBytesPerRevocation`]: found.wireBytesPerRevocation,
    [`${name}AdapterCpuMicrosPerRevocation`]: found.cpuMicrosPerRevocation,
    [`${name}AdapterCpuShare`]: found.cpuShare,
    [`${name}RevocationsPerMessage`]: found.revocationsPerMessage,
    [`${name}LagP50Ms`]: found.lags.p50Ms,
    [`${name}LagP99Ms`]: found.lags.p99Ms,
    [`${name}LagMaxMs`]: found.lags.maxMs,
  }
}

const loadingFigures = (found: Loading): Numbers => ({
  checkP99WhileLoadingRatio: found.p99RatioToIdle,
  checkP99WhileLoadingMs: found.loading.p99Ms,
  checkP99IdleMs: found.idle.p99Ms,
  checkP50WhileLoadingMs: found.loading.p50Ms,
  checkP50IdleMs: found.idle.p50Ms,
  checkMaxWhileLoadingMs: found.loading.maxMs,
  checkMaxIdleMs: found.idle.maxMs,
  fullStateUnderLoadSeconds: found.fullStateSeconds,
})

const restartFigures = (found: Restart): Numbers => ({
  adapterRestartTenMillionSeconds: found.seconds,
  adapterStartWithoutCheckpointTenMillionSeconds: found.withoutCheckpointSeconds,
  adapterWriteCheckpointTenMillionSeconds: found.writingSeconds,
  adapterRestartedRssTenMillionMb: found.memory.residentMb,
  adapterRestartedRssAnonTenMillionMb: found.memory.anonymousMb,
  adapterRestartedRssPeakTenMillionMb: found.memory.peakMb,
})

const seconds = (value: number): string => `${value.toFixed(2)} s`
const mebibytes = (value: number): string => `${count(value)} MB`

const coldStartRow = (found: ColdStart, entries: number): Row => ({
  what: `cold start of an enforcer, ${count(entries)} revocations`,
  value: seconds(found.seconds),
  beside: `${times(found.ratioToBareStream)} the bare stream (${seconds(found.bareStreamSeconds)}); with its process ${seconds(found.withProcessSeconds)}`,
})

const holdingRows = (found: Holding, entries: number): readonly Row[] => [
  {
    what: `RSS of an enforcer, ${count(entries)} revocations`,
    value: mebibytes(found.enforcer.residentMb),
    beside: `before its garbage was collected ${mebibytes(found.enforcerAtFirst.residentMb)}, peak ${mebibytes(found.enforcerAtFirst.peakMb)}`,
  },
  {
    what: '  peak while a full state replaces it',
    value: mebibytes(found.swapPeakMb),
    beside: `after an accident of the log ${mebibytes(found.rolledBackSwapPeakMb)}`,
  },
  {
    what: 'RSS of the adapter, garbage collected',
    value: mebibytes(found.adapter.residentMb),
    beside: `peak ${mebibytes(found.adapter.peakMb)}`,
  },
]

const streamingRows = (found: Streaming): readonly Row[] => [
  {
    what: `${count(found.streams)} stream(s), ${count(revocationsPerSecond)} revocations/s: lag p50 / p99`,
    value: `${found.lags.p50Ms.toFixed(1)} / ${found.lags.p99Ms.toFixed(1)} ms`,
    beside: `max ${found.lags.maxMs.toFixed(0)} ms; ${found.revocationsPerMessage.toFixed(1)} revocations in a message`,
  },
  {
    what: '  for each revocation and stream',
    value: `${found.wireBytesPerRevocation.toFixed(1)} B`,
    beside: `${found.cpuMicrosPerRevocation.toFixed(2)} us of the adapter, ${(found.cpuShare * 100).toFixed(0)} % of its core`,
  },
]

const loadingRows = ({ p99RatioToIdle, idle, loading, fullStateSeconds }: Loading): readonly Row[] => [
  {
    what: `check while a full state loads, ${count(checksPerSecond)}/s, p50 / p99`,
    value: `${loading.p50Ms.toFixed(2)} / ${loading.p99Ms.toFixed(2)} ms`,
    beside: `p99 ${times(p99RatioToIdle)} that at rest (${idle.p50Ms.toFixed(2)} / ${idle.p99Ms.toFixed(2)} ms); max ${loading.maxMs.toFixed(0)}, at rest ${idle.maxMs.toFixed(0)} ms; a state takes ${seconds(fullStateSeconds)}`,
  },
]

const restartRow = (found: Restart, entries: number): Row => ({
  what: `restart of an adapter from its checkpoint, ${count(entries)} revocations`,
  value: seconds(found.seconds),
  beside: `without checkpoint ${seconds(found.withoutCheckpointSeconds)}, writing it ${seconds(found.writingSeconds)}; RSS then ${mebibytes(found.memory.residentMb)}`,
})
