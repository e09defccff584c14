/**
 * The benchmark `discovery`: what it costs to bring revocations from an adapter to its enforcers, and to hold them.
 *
 * @module
 */
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { measureColdStart } from './cold-start.ts'
import { measureHolding } from './holding.ts'
import { measureLoading } from './loading.ts'
import { measureRestart } from './restart.ts'
import { type Measured, resultOf } from './result.ts'
import { type RunningAdapter, type Setting, withAdapter, withSetting } from './setting.ts'
import { measureStreams, type Streaming } from './streams.ts'

/** Parts, in the order in which they are measured. */
const partNames = ['cold-start', 'loading', 'streams', 'memory', 'restart'] as const
type PartName = (typeof partNames)[number]

const streamCounts = [1, 100, 1_000]

/** See the module. */
export const discoveryBenchmark: Benchmark = {
  name: 'discovery',
  summary: 'adapter to enforcer at 1 M and 10 M: cold start, memory, up to 1,000 streams (about 12 min)',
  run: async options => {
    const parts = partsOf(options)
    const measured = await withSetting(options, async setting => ({
      ...(await measureMillion(setting, parts)),
      ...(options.millionOnly ? {} : await measureTenMillion(setting, parts)),
    }))
    return resultOf(measured, options)
  },
}

const partsOf = ({ only, restart }: BenchmarkOptions): ReadonlySet<PartName> => {
  if (only === undefined) return new Set(partNames.filter(name => name !== 'restart' || restart))
  const part = partNames.find(name => name === only)
  if (part !== undefined) return new Set([part])
  throw new Error(`--only: ${JSON.stringify(only)} is no part; there are: ${partNames.join(', ')}`)
}

const measureMillion = async (setting: Setting, parts: ReadonlySet<PartName>): Promise<Measured> => {
  if (!['cold-start', 'loading', 'streams'].some(name => parts.has(name as PartName))) return {}
  return withAdapter(setting, { entries: setting.options.live }, async adapter => ({
    ...(parts.has('cold-start') ? { coldStartMillion: await measureColdStart(setting, adapter) } : {}),
    ...(parts.has('loading') ? { loading: await measureLoading(setting, adapter) } : {}),
    // Last, for it adds to what the adapter holds.
    ...(parts.has('streams') ? { streaming: await measureEachCount(setting, adapter) } : {}),
  }))
}

const measureEachCount = async (setting: Setting, adapter: RunningAdapter): Promise<readonly Streaming[]> => {
  const streaming: Streaming[] = []
  for (const streams of streamCounts) streaming.push(await measureStreams(setting, adapter, streams))
  return streaming
}

const measureTenMillion = async (setting: Setting, parts: ReadonlySet<PartName>): Promise<Measured> => {
  const entries = setting.options.live * 10
  const served = await measureServed(setting, parts, entries)
  return parts.has('restart') ? { ...served, restart: await measureRestart(setting, entries) } : served
}

const measureServed = async (
  setting: Setting,
  parts: ReadonlySet<PartName>,
  entries: number,
): Promise<Measured> => {
  if (!parts.has('cold-start') && !parts.has('memory')) return {}
  return withAdapter(setting, { entries }, async adapter => ({
    ...(parts.has('cold-start') ? { coldStartTenMillion: await measureColdStart(setting, adapter) } : {}),
    ...(parts.has('memory') ? { holding: await measureHolding(setting, adapter) } : {}),
  }))
}
