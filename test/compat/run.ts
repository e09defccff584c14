/**
 * `npm run compat -- [--json] [--quick] [--only N]`: how many revocations an enforcer of Choreo Connect misses at our
 * adapter, and an enforcer of ours, in each situation in which the adapter that Choreo Connect ships loses some.
 * Progress goes to stderr, the table to stdout. Exits with 1 if something was missed.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { bringService } from '../services/catalogue.ts'
import { type Bystanding, runBystanders } from './bystanders.ts'
import { type RowResult, rows, runRow } from './rows.ts'

interface CompatResult {
  readonly rows: readonly RowResult[]
  readonly bystanders: Bystanding
}

const say = (line: string) => process.stderr.write(`compat: ${line}\n`)

function tableOf(results: readonly RowResult[]): string {
  const lines = results.map(
    ({ row, sent, missedSotw, missedDelta }) => `| ${row} | ${sent} | ${missedSotw} | ${missedDelta} |`,
  )
  return ['| row | sent | missed (sotw) | missed (delta) |', '|---|---|---|---|', ...lines].join('\n')
}

const problemsOf = ({ rows: results, bystanders }: CompatResult): string[] => [
  ...results
    .filter(({ missedSotw, missedDelta }) => missedSotw + missedDelta > 0)
    .map(({ row }) => `missed some: ${row}`),
  ...(bystanders.pushesToRefuser > bystanders.pushesLimit ? ['too many pushes to one that refuses'] : []),
  ...(bystanders.missed > 0 ? ['missed some: beside others that misbehave'] : []),
]

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  })
  await bringService('redis')
  const size = values.quick ? 'quick' : 'full'
  const chosen = values.only === undefined ? rows : rows.slice(Number(values.only) - 1, Number(values.only))
  const results: RowResult[] = []
  for (const row of chosen) {
    const result = await runRow(row, size)
    results.push(result)
    say(JSON.stringify(result))
  }
  const bystanders = await runBystanders(size)
  const result = { rows: results, bystanders }
  const problems = problemsOf(result)
  for (const problem of problems) say(`FAILED: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${tableOf(results)}\n\n${Object.entries(bystanders)
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n')}\n`,
  )
}

main().catch(error => {
  say((error as Error).message)
  process.exit(1)
})
