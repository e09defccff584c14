/**
 * Asks an enforcer for the same check at a fixed rate, however long the answers take. The argument is JSON, see
 * {@link CheckerTask}; prints {@link CheckerLine} when it has begun.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { checkPath } from '../../proto/wire.ts'
import { until } from '../../test/support/condition.ts'
import { clockMs } from '../load/clock.ts'
import { serveControl } from '../load/control.ts'
import { grpcFrame } from '../load/grpc-frames.ts'
import { tell } from '../load/program.ts'
import { quantile } from '../statistics.ts'

/** What to ask and how often. */
export interface CheckerTask {
  readonly port: number
  /** The bytes of a CheckRequest. */
  readonly requestFile: string
  readonly perSecond: number
}

/** What is printed. */
export interface CheckerLine {
  readonly controlPort: number
}

/** What it can be told. */
export type CheckerCommands = typeof commands

/** Checks that were due in a window. */
export interface CheckLatencies {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

interface Sample {
  readonly dueAtMs: number
  tookMs: number | undefined
}

/** A timer is late by up to this; a check that is sent so late has not waited for anything. */
const timerLatenessMs = 2
const answerTimeoutMs = 60_000
/** Room for all checks of many seconds: of an enforcer that is held up, none is held back. */
const sessionMemoryLimitMb = 1_000

const { port, requestFile, perSecond }: CheckerTask = JSON.parse(process.argv[2] as string)
const frame = grpcFrame(readFileSync(requestFile))
const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: sessionMemoryLimitMb })
const samples: Sample[] = []
let expected: Buffer | undefined

const giveUp = (reason: string) => {
  process.stderr.write(`a check went wrong: ${reason}\n`)
  process.exit(1)
}
session.on('error', error => giveUp(error.message))

/** The first answer is the one to which the others must be equal. */
const ask = (dueAtMs: number): void => {
  const sentAtMs = clockMs()
  const sample: Sample = { dueAtMs, tookMs: undefined }
  samples.push(sample)
  const call = session.request({
    ':method': 'POST',
    ':path': checkPath,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const pieces: Buffer[] = []
  let status: unknown
  call.on('data', (piece: Buffer) => pieces.push(piece))
  call.on('trailers', trailers => {
    status = trailers['grpc-status']
  })
  call.on('error', error => giveUp(error.message))
  call.on('end', () => {
    sample.tookMs = clockMs() - (sentAtMs - dueAtMs > timerLatenessMs ? dueAtMs : sentAtMs)
    const answer = Buffer.concat(pieces)
    expected ??= answer
    if (Number(status) !== 0 || answer.length === 0 || !answer.equals(expected))
      giveUp(`status ${status}, ${answer.length} bytes`)
  })
  call.end(frame)
}

const startMs = clockMs()
let asked = 0
setInterval(() => {
  const due = Math.floor(((clockMs() - startMs) / 1_000) * perSecond)
  while (asked < due) ask(startMs + (++asked * 1_000) / perSecond)
}, 1)

const areAnswered = (window: readonly Sample[]) => () => window.every(({ tookMs }) => tookMs !== undefined)

const commands = {
  /** Resolves when no check waits: what comes then does not suffer from what was before. */
  atRest: async (_: object) => {
    await until('no check waits', areAnswered(samples), { timeoutMs: answerTimeoutMs })
    return {}
  },
  /** Of the checks that were due in a window that is over, once all of them are answered; earlier ones are forgotten. */
  latencies: async ({ fromMs, untilMs }: { fromMs: number; untilMs: number }): Promise<CheckLatencies> => {
    const isDue = ({ dueAtMs }: Sample) => dueAtMs >= fromMs && dueAtMs < untilMs
    const window = samples.filter(isDue)
    await until('all checks are answered', areAnswered(window), { timeoutMs: answerTimeoutMs })
    samples.splice(0, samples.findLastIndex(isDue) + 1)
    const sorted = Float64Array.from(window, ({ tookMs }) => tookMs as number).sort()
    return {
      count: sorted.length,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      maxMs: sorted.at(-1) ?? Number.NaN,
    }
  },
}

const line: CheckerLine = { controlPort: await serveControl(commands) }
tell(line)
