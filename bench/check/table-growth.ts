/**
 * How long an enforcer's table keeps checks waiting while it grows: inserts as many entries as the argument says and
 * times every step that makes it grow. All is done twice, and of each step the shorter time counts, so that what is
 * seen is the table and not what else the machine does. Prints its figures.
 *
 * @module
 */
import { RevocationTable } from '../../revocation/table.ts'
import { tell } from '../load/program.ts'

/** What is printed. */
export interface TableGrowth {
  readonly entries: number
  readonly bytes: number
  /** The longest `set` that made the table grow. */
  readonly longestGrowthStepMs: number
  /** The longest `set` of all, with whatever interrupted it: garbage collection, other processes. */
  readonly longestInterruptedStepMs: number
  /** Most slots that one step moved. */
  readonly movedSlotsMax: number
  readonly growthSteps: number
  readonly insertsPerSecond: number
}

interface Run {
  readonly table: RevocationTable
  /** In the order in which they came; the same steps in every run. */
  readonly growthStepsMs: readonly number[]
  readonly longestStepMs: number
  readonly movedSlotsMax: number
  readonly seconds: number
}

const expiresAt = 4_000_000_000
const multipliers = [0x5bd1_e995, 0x9e37_79b1] as const
const seed = 0x9e37_79b9

/** xorshift32: keys are hashes, so any even distribution stands for them. */
const createRandomWords = () => {
  let word = seed
  return (): number => {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    return word >>> 0
  }
}

const run = (entries: number): Run => {
  const table = new RevocationTable({ multipliers })
  const randomWord = createRandomWords()
  const growthStepsMs: number[] = []
  let longestStepMs = 0
  let movedSlotsMax = 0
  const startMs = performance.now()
  for (let number = 0; number < entries; number++) {
    const k0 = randomWord()
    const k1 = randomWord()
    const stepStartMs = performance.now()
    table.set(k0, k1, number, 0, expiresAt, expiresAt)
    const stepMs = performance.now() - stepStartMs
    longestStepMs = Math.max(longestStepMs, stepMs)
    if (table.movedByLastStep === 0) continue
    growthStepsMs.push(stepMs)
    movedSlotsMax = Math.max(movedSlotsMax, table.movedByLastStep)
  }
  return {
    table,
    growthStepsMs,
    longestStepMs,
    movedSlotsMax,
    seconds: (performance.now() - startMs) / 1000,
  }
}

const entries = Number(process.argv[2])
const first = run(entries)
const second = run(entries)
const growthStepsMs = first.growthStepsMs.map((ms, step) =>
  Math.min(ms, second.growthStepsMs[step] as number),
)
const figures: TableGrowth = {
  entries: first.table.size,
  bytes: first.table.bytes,
  longestGrowthStepMs: growthStepsMs.reduce((longest, ms) => Math.max(longest, ms), 0),
  longestInterruptedStepMs: Math.max(first.longestStepMs, second.longestStepMs),
  movedSlotsMax: first.movedSlotsMax,
  growthSteps: growthStepsMs.length,
  insertsPerSecond: entries / Math.min(first.seconds, second.seconds),
}
tell(figures)
