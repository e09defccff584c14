/**
 * `npm run bench -- NAME [--json] [--seconds N] [--rounds N] ...`: runs a benchmark. The table goes to stdout and progress
 * to stderr; with --json the last line of stdout is one JSON object.
 *
 * @module
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Benchmark, BenchmarkOptions } from './benchmark.ts'
import { checkBenchmark } from './check/benchmark.ts'
import { discoveryBenchmark } from './discovery/benchmark.ts'
import { grantsBenchmark } from './grants/benchmark.ts'
import { logBenchmark } from './log/benchmark.ts'
import { tableOf } from './report.ts'
import { revokerBenchmark } from './revoker/benchmark.ts'

const benchmarks: readonly Benchmark[] = [
  checkBenchmark,
  logBenchmark,
  discoveryBenchmark,
  revokerBenchmark,
  grantsBenchmark,
]

const help = `Usage: npm run bench -- NAME [options]

Benchmarks:
${benchmarks.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n')}

Options:
  --json         end with one line of JSON, in which the names carry units
  --seconds N    length of each window that is measured (default 2)
  --rounds N     turns of subject and baselines, of which the middle ones count (default 5)
  --only NAME    log, revoker: only this driver (embedded, redis or kafka)
                 discovery: only this part (cold-start, loading, streams, memory or restart)
  --live N       log, discovery: so many revocations are live; grants: so many grants (default 1000000)
  --data-folder  log: the adapter keeps a checkpoint (adapter.dataFolder)
  --million-only discovery: nothing with ten times as many
  --restart      discovery: also the restart of an adapter from its checkpoint
  --help         this text
`

const main = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      live: { type: 'string', default: '1000000' },
      'data-folder': { type: 'boolean', default: false },
      'million-only': { type: 'boolean', default: false },
      restart: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || positionals.length === 0) {
    process.stdout.write(help)
    return
  }
  if (positionals.length > 1) throw new Error(`one at a time: ${positionals.join(', ')}`)
  const benchmark = find(positionals[0] as string)
  const options: BenchmarkOptions = {
    seconds: wholeNumber('--seconds', values.seconds),
    rounds: wholeNumber('--rounds', values.rounds),
    only: values.only,
    live: wholeNumber('--live', values.live),
    dataFolder: values['data-folder'],
    millionOnly: values['million-only'],
    restart: values.restart,
    progress: step =>
      process.stderr.write(`bench: ${(performance.now() / 1000).toFixed(0).padStart(3)} s  ${step}\n`),
  }
  const { figures, rows } = await benchmark.run(options)
  process.stdout.write(`${tableOf(rows)}\n`)
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, ...machine() })}\n`)
}

const find = (name: string): Benchmark => {
  const benchmark = benchmarks.find(each => each.name === name)
  if (benchmark !== undefined) return benchmark
  throw new Error(
    `no benchmark is called ${JSON.stringify(name)}; there are: ${benchmarks.map(each => each.name).join(', ')}`,
  )
}

const wholeNumber = (option: string, text: string): number => {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text)
  throw new Error(`${option}: ${JSON.stringify(text)} is not a number from 1 to 99999999`)
}

const machine = () => ({
  cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
  cpuCores: availableParallelism(),
  nodeVersion: process.version,
})

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 1
}
