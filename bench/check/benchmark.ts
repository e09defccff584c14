/**
 * The benchmark `check`: what one check costs, beside a server that does nothing and beside verifying a signature.
 *
 * @module
 */
import { bringService } from '../../test/services/catalogue.ts'
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from '../benchmark.ts'
import { runProgram } from '../load/program.ts'
import { count, times } from '../report.ts'
import { rounded, typical } from '../statistics.ts'
import type { BareVerification } from './bare-verification.ts'
import { type DirectResult, measureDirectly } from './direct.ts'
import { type Setting, withSetting } from './setting.ts'
import type { TableGrowth } from './table-growth.ts'
import { type EnvoyResult, measureThroughEnvoy } from './through-envoy.ts'

interface Measured {
  readonly direct: DirectResult
  readonly bare: BareVerification
  readonly envoy: EnvoyResult
  readonly oneMillion: TableGrowth
  readonly tenMillion: TableGrowth
  readonly requestBytes: number
  readonly tokenBytes: number
  readonly pinned: boolean
}

/** See the module. */
export const checkBenchmark: Benchmark = {
  name: 'check',
  summary: "the enforcer's Check by h2load and through Envoy, beside a grpc-js no-op (about 100 s)",
  run: async options => {
    const h2load = await needed('h2load')
    const envoy = await needed('envoy')
    return resultOf(await withSetting(h2load, options, setting => measure(setting, envoy)))
  },
}

const needed = async (service: string): Promise<string> => {
  const path = await bringService(service)
  if (path !== undefined) return path
  throw new Error(`${service} is missing here; bring it with: npm run services -- ${service}`)
}

const measure = async (setting: Setting, envoyBinary: string): Promise<Measured> => {
  const direct = await measureDirectly(setting)
  const envoy = await measureThroughEnvoy(envoyBinary, setting)
  const bare = await measureBareVerification(setting)
  return {
    direct,
    bare,
    envoy,
    oneMillion: await measureGrowth(setting, 1_000_000),
    tenMillion: await measureGrowth(setting, 10_000_000),
    requestBytes: setting.good.length,
    tokenBytes: setting.goodToken.length,
    pinned: setting.cores.pinned,
  }
}

const measureBareVerification = async (setting: Setting): Promise<BareVerification> => {
  const { rounds, progress }: BenchmarkOptions = setting.options
  const samples: BareVerification[] = []
  for (let round = 1; round <= rounds; round++) {
    progress(`bare verification of the signature, round ${round} of ${rounds}`)
    samples.push(
      await runProgram<BareVerification>('check/bare-verification', {
        args: [setting.issuer.jwksUri, '0.5'],
        env: { BENCH_TOKEN: setting.goodToken },
        place: setting.cores.giveServerCore,
      }),
    )
  }
  return {
    nodeCryptoPerSecond: typical(samples.map(sample => sample.nodeCryptoPerSecond)),
    josePerSecond: typical(samples.map(sample => sample.josePerSecond)),
  }
}

const measureGrowth = (setting: Setting, entries: number): Promise<TableGrowth> => {
  setting.options.progress(`growing a table to ${count(entries)} entries`)
  return runProgram<TableGrowth>('check/table-growth', {
    args: [String(entries)],
    place: setting.cores.giveServerCore,
  })
}

const resultOf = (measured: Measured): BenchmarkResult => ({
  figures: figuresOf(measured),
  rows: rowsOf(measured),
})

const figuresOf = ({ direct, bare, envoy, oneMillion, tenMillion, ...setting }: Measured) => ({
  benchmark: 'check',
  seenRatioToGrpcJsNoop: rounded(direct.seenRatioToNoop),
  oneMillionRatioToEmpty: rounded(direct.oneMillionRatioToEmpty),
  envoyCpuMicrosPerCheck: rounded(envoy.cpuMicrosPerCheck),
  envoyCpuRatioToGrpcJsNoop: rounded(envoy.cpuRatioToNoop),
  checksPerSecond: rounded(direct.checksPerSecond),
  emptyChecksPerSecond: rounded(direct.emptyChecksPerSecond),
  grpcJsNoopChecksPerSecond: rounded(direct.noopChecksPerSecond),
  p50Ms: rounded(direct.p50Ms),
  p99Ms: rounded(direct.p99Ms),
  grpcJsNoopP50Ms: rounded(direct.noopP50Ms),
  grpcJsNoopP99Ms: rounded(direct.noopP99Ms),
  cpuMicrosPerCheck: rounded(direct.cpuMicrosPerCheck),
  grpcJsNoopCpuMicrosPerCheck: rounded(direct.noopCpuMicrosPerCheck),
  cpuRatioToGrpcJsNoop: rounded(direct.cpuRatioToNoop),
  oneMillionCpuRatioToEmpty: rounded(direct.oneMillionCpuRatioToEmpty),
  bareVerifyPerSecond: rounded(bare.nodeCryptoPerSecond),
  joseVerifyPerSecond: rounded(bare.josePerSecond),
  seenRatioToBareVerify: rounded(direct.checksPerSecond / bare.nodeCryptoPerSecond),
  envoyRequestsPerSecond: rounded(envoy.requestsPerSecond),
  envoyGrpcJsNoopCpuMicrosPerCheck: rounded(envoy.noopCpuMicrosPerCheck),
  envoyP50Ms: rounded(envoy.p50Ms),
  envoyP99Ms: rounded(envoy.p99Ms),
  longestGrowthStepMs: rounded(oneMillion.longestGrowthStepMs),
  longestGrowthStepTenMillionMs: rounded(tenMillion.longestGrowthStepMs),
  longestInterruptedStepTenMillionMs: rounded(tenMillion.longestInterruptedStepMs),
  tableInsertsPerSecond: rounded(tenMillion.insertsPerSecond),
  movedSlotsMax: Math.max(oneMillion.movedSlotsMax, tenMillion.movedSlotsMax),
  tableBytesPerEntry: rounded(tenMillion.bytes / tenMillion.entries),
  ...setting,
})

const rowsOf = ({ direct, bare, envoy, oneMillion, tenMillion, ...setting }: Measured) => [
  {
    what: 'a check of a token seen before, 1 M revocations',
    value: `${count(direct.checksPerSecond)}/s`,
    beside: `${times(direct.seenRatioToNoop)} the grpc-js no-op (${count(direct.noopChecksPerSecond)}/s)`,
  },
  {
    what: '  with 1 revocation',
    value: `${count(direct.emptyChecksPerSecond)}/s`,
    beside: `1 M is ${times(direct.oneMillionRatioToEmpty)} that`,
  },
  {
    what: '  CPU per check',
    value: `${direct.cpuMicrosPerCheck.toFixed(1)} us`,
    beside: `${times(direct.cpuRatioToNoop)} the no-op (${direct.noopCpuMicrosPerCheck.toFixed(1)} us); 1 M is ${times(direct.oneMillionCpuRatioToEmpty)} one`,
  },
  {
    what: '  p50 / p99, 4 connections x 32 streams',
    value: `${direct.p50Ms.toFixed(1)} / ${direct.p99Ms.toFixed(1)} ms`,
    beside: `no-op ${direct.noopP50Ms.toFixed(1)} / ${direct.noopP99Ms.toFixed(1)} ms`,
  },
  {
    what: 'verifying the signature alone (RS256, node:crypto)',
    value: `${count(bare.nodeCryptoPerSecond)}/s`,
    beside: `jose ${count(bare.josePerSecond)}/s`,
  },
  {
    what: `CPU per check through Envoy at ${count(envoy.requestsPerSecond)}/s`,
    value: `${envoy.cpuMicrosPerCheck.toFixed(0)} us`,
    beside: `${times(envoy.cpuRatioToNoop)} the grpc-js no-op (${envoy.noopCpuMicrosPerCheck.toFixed(0)} us)`,
  },
  {
    what: '  p50 / p99 of the requests',
    value: `${envoy.p50Ms.toFixed(1)} / ${envoy.p99Ms.toFixed(1)} ms`,
  },
  ...[oneMillion, tenMillion].map(growthRow),
  {
    what: 'CheckRequest / token',
    value: `${setting.requestBytes} / ${setting.tokenBytes} B`,
    beside: setting.pinned ? 'server on a core of its own' : 'not pinned: server and load share the cores',
  },
]

const growthRow = (growth: TableGrowth) => ({
  what: `longest growth step of the table up to ${count(growth.entries)} entries`,
  value: `${growth.longestGrowthStepMs.toFixed(2)} ms`,
  beside: `at most ${count(growth.movedSlotsMax)} slots moved; ${count(growth.growthSteps)} such steps; with interruptions ${growth.longestInterruptedStepMs.toFixed(1)} ms`,
})
