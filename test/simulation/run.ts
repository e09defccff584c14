/**
 * `npm run simulate -- --seeds N [--seed S] [--json] [--trace]`: runs the whole system in one process on a simulated clock,
 * network and log, once for each seed from S on. Progress goes to stderr. The first seed that breaks a promise is printed
 * with what happened last and how to repeat it, and the exit code is 1.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type SimulationResult, simulate } from './simulation.ts'

const progressMs = 2_000
const traceLines = 50
const allLines = 1_000_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
})
const first = wholeNumber('--seed', values.seed)
const seeds = wholeNumber('--seeds', values.seeds)
const say = (line: string) => process.stderr.write(`${line}\n`)

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new Error(`${option}: ${JSON.stringify(text)} is not a whole number above 0`)
}

function tell({ seed, setting, violation, trace }: SimulationResult): void {
  say(`setting: ${JSON.stringify(setting)}`)
  for (const line of trace) say(line)
  if (violation === undefined) return
  say(`FAILED: seed ${seed} breaks ${violation.rule}: ${violation.message}`)
  say(`repeat it: npm run simulate -- --seeds 1 --seed ${seed} --trace`)
}

let steps = 0
let done = 0
let failed: SimulationResult | undefined
let saidAtMs = performance.now()
const beganAtMs = saidAtMs
const rate = () => {
  const seconds = (performance.now() - beganAtMs) / 1_000
  return `${done} of ${seeds} seeds, ${steps} steps, ${(done / seconds).toFixed(1)} seeds/s`
}
while (done < seeds && failed === undefined) {
  const result = await simulate(first + done, values.trace ? allLines : traceLines)
  done += 1
  steps += result.steps
  if (result.violation !== undefined) failed = result
  if (result.violation !== undefined || values.trace) tell(result)
  if (performance.now() - saidAtMs < progressMs) continue
  saidAtMs = performance.now()
  say(`simulate: ${rate()}`)
}
say(`simulate: ${rate()}`)
const result = { seeds: done, steps, violations: failed === undefined ? 0 : 1 }
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
process.exitCode = failed === undefined ? 0 : 1
