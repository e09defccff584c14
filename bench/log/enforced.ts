/**
 * From a revocation to its enforcement: a sender revokes tokens over HTTP at a fixed rate; counted is the time from
 * sending the request until an enforcer's table, in this process, rejects the token.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TokenMint } from '../../test/chaos/tokens.ts'
import { runProgram } from '../load/program.ts'
import { quantile } from '../statistics.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { LogPlace } from './place.ts'
import type { SenderResult, SenderTask } from './sender.ts'
import { type Stand, startStand } from './stand.ts'
import { startWatcher, type Watcher } from './watcher.ts'

/** What is measured. */
export interface EnforcedOptions {
  readonly place: LogPlace
  readonly mint: TokenMint
  /** For files of what runs. */
  readonly folder: string
  readonly dataFolder: boolean
  /** How long at each rate, seconds. */
  readonly seconds: number
  /** How many keys the log holds. */
  readonly keys: number
  readonly progress: (step: string) => void
}

/** What was found at one rate. */
export interface EnforcedAtRate {
  /** Revocations a second that were enforced: less than were to be sent if the machine is too slow for it. */
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Until the revoker had answered. */
  readonly answeredP50Ms: number
  readonly answeredP99Ms: number
  readonly adapterLoopDelay: LoopDelay
}

/** What was found. */
export interface EnforcedResult {
  readonly at100: EnforcedAtRate
  readonly at1000: EnforcedAtRate
}

/** Tokens that are never revoked. */
const controls = 100
/** Before each window, at its rate and by its sender, and not counted: compilers and caches. */
const warmUpSeconds = 5

/** Starts revoker, adapter and an enforcer on a log that is filled, and measures at 100 and at 1,000 a second. */
export async function measureEnforced(options: EnforcedOptions): Promise<EnforcedResult> {
  const { place, mint, folder, seconds, progress } = options
  const counts = [(warmUpSeconds + seconds) * 100, (warmUpSeconds + seconds) * 1_000] as const
  const needed = counts[0] + counts[1] + controls
  progress(`${place.driver}: making ${needed} tokens`)
  const tokens = mint.mint(`bench-${place.driver}`, needed)
  const tokensFile = join(folder, `${place.driver}-tokens`)
  writeFileSync(tokensFile, tokens.join('\n'))

  progress(`${place.driver}: starting revoker and adapter on the log`)
  const stand = await startStand(options)
  try {
    const watcher = await startWatcher(stand.adapterPort, tokens)
    try {
      if (watcher.size !== options.keys)
        throw new Error(`${watcher.size} keys are enforced where ${options.keys} were appended`)
      const run = { stand, watcher, tokensFile, controlsFrom: needed - controls }
      progress(`${place.driver}: 100 revocations a second for ${warmUpSeconds + seconds} s`)
      const at100 = await measureAt(run, 0, counts[0], 100)
      progress(`${place.driver}: 1,000 revocations a second for ${warmUpSeconds + seconds} s`)
      const at1000 = await measureAt(run, counts[0], counts[1], 1_000)
      return { at100, at1000 }
    } finally {
      await watcher.close()
    }
  } finally {
    await stand.stop()
  }
}

interface Run {
  readonly stand: Stand
  readonly watcher: Watcher
  readonly tokensFile: string
  readonly controlsFrom: number
}

async function measureAt(run: Run, first: number, count: number, perSecond: number): Promise<EnforcedAtRate> {
  const { stand, watcher, tokensFile } = run
  checkNoneRejected(watcher, first, count)
  await stand.loopDelay()
  const { done } = watcher.watch(first, count)
  const task: SenderTask = { port: stand.revokerPort, tokensFile, first, count, perSecond }
  const sender = runProgram<SenderResult>('log/sender', {
    args: [JSON.stringify(task)],
    place: async () => undefined,
  })
  const [sent, enforcedAtMs] = await Promise.all([sender, done])
  const adapterLoopDelay = await stand.loopDelay()
  checkNoneRejected(watcher, run.controlsFrom, controls)
  const uncounted = warmUpSeconds * perSecond
  const sentAtMs = sent.sentAtMs.slice(uncounted)
  const since = (atMs: ArrayLike<number>) =>
    Float64Array.from(sentAtMs, (at, index) => (atMs[uncounted + index] as number) - at).sort()
  const enforced = since(enforcedAtMs)
  const answered = since(sent.answeredAtMs)
  const tookMs = Math.max(...enforcedAtMs) - Math.min(...sentAtMs)
  return {
    perSecond: (sentAtMs.length * 1_000) / tookMs,
    p50Ms: quantile(enforced, 0.5),
    p99Ms: quantile(enforced, 0.99),
    answeredP50Ms: quantile(answered, 0.5),
    answeredP99Ms: quantile(answered, 0.99),
    adapterLoopDelay,
  }
}

/** A table that rejects everything would be the fastest. */
function checkNoneRejected(watcher: Watcher, first: number, count: number): void {
  for (let number = first; number < first + count; number++)
    if (watcher.rejects(number)) throw new Error('a token that was never revoked is rejected')
}
