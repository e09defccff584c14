/**
 * `npm run chaos -- [--kills 50] [--log redis|kafka|embedded] [--seconds N] [--rate 1000] [--seed N] [--json]`: kills
 * what runs at random moments while revocations arrive, and sees that none that was acknowledged is lost. Progress goes
 * to stderr; the last line of stdout tells the result. Exits with 1 if something was lost.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { bringService } from '../services/catalogue.ts'
import { type ChaosOptions, runChaos } from './chaos.ts'
import { type LogName, logNames } from './log-server.ts'

/** Seconds between two kills, on average: as long as it takes until all is well again most of the time. */
const secondsPerKill: Readonly<Record<LogName, number>> = { redis: 2, kafka: 3, embedded: 2 }

function readOptions(): ChaosOptions & { readonly json: boolean } {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      log: { type: 'string', default: 'redis' },
      seconds: { type: 'string' },
      rate: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const log = logNames.find(name => name === values.log)
  if (log === undefined) throw new Error(`--log: must be one of ${logNames.join(', ')}`)
  const kills = wholeNumber('--kills', values.kills)
  const seconds =
    values.seconds === undefined ? kills * secondsPerKill[log] : wholeNumber('--seconds', values.seconds)
  return {
    log,
    kills,
    seconds,
    rate: wholeNumber('--rate', values.rate),
    seed: values.seed === undefined ? randomInt(1, 2 ** 31) : wholeNumber('--seed', values.seed),
    json: values.json,
  }
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new Error(`${option}: ${JSON.stringify(text)} is not a whole number above 0`)
}

let isInterrupted = false
const ends: (() => Promise<void>)[] = []
const stop = async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
}
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    isInterrupted = true
    void stop().finally(() => process.exit(exitCode))
  })
}
const say = (line: string) => {
  const seconds = (performance.now() / 1_000).toFixed(1).padStart(6)
  process.stderr.write(`chaos: ${seconds} s  ${line}\n`)
}

try {
  const { json, ...options } = readOptions()
  if (options.log !== 'embedded') await bringService(options.log)
  const { result, problems } = await runChaos(options, { atEnd: end => ends.push(end), say })
  for (const problem of problems) say(`FAILED: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  await stop()
  const text = Object.entries(result).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  process.stdout.write(`${json ? JSON.stringify(result) : text.join('\n')}\n`)
} catch (error) {
  // What is stopped on a signal fails for that reason; the exit is the signal's.
  if (isInterrupted) await new Promise(() => undefined)
  await stop()
  process.stderr.write(`chaos: ${(error as Error).message}\n`)
  // Not by itself: revocations are still sent, and what was killed is waited for.
  process.exit(1)
}
