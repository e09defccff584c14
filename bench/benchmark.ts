/**
 * What a benchmark is: it measures its subject and its baselines in turns, in the same run, and gives figures.
 *
 * @module
 */

/** How long and how to measure. */
export interface BenchmarkOptions {
  /** Length of each window that is measured, seconds. */
  readonly seconds: number
  /** How often subject and baselines take their turns; the middle ones count. */
  readonly rounds: number
  /** Measures only the subject of this name, if the benchmark has several; all of them if absent. */
  readonly only: string | undefined
  /** How many revocations are live, where that can be chosen. */
  readonly live: number
  /** Whether the adapter keeps a checkpoint, where that can be chosen. */
  readonly dataFolder: boolean
  /** Leaves out what is measured with ten times as many, where there is such a part. */
  readonly millionOnly: boolean
  /** Measures restarts too, where that is a part that takes long. */
  readonly restart: boolean
  /** Told what is being done, for people who wait. */
  readonly progress: (step: string) => void
}

/** Figures by name; the names carry units. */
export type Figures = Readonly<Record<string, Figure | Readonly<Record<string, Figure>>>>

/** One figure, or what it was measured with. */
export type Figure = number | string | boolean

/** One line of the table for people. */
export interface Row {
  readonly what: string
  readonly value: string
  /** What to compare it with. */
  readonly beside?: string
}

/** What a benchmark found. */
export interface BenchmarkResult {
  readonly figures: Figures
  readonly rows: readonly Row[]
}

/** A benchmark by name. */
export interface Benchmark {
  /** What `npm run bench -- NAME` calls it. */
  readonly name: string
  /** One line about what is measured and beside what. */
  readonly summary: string
  /** Throws an error with one line when something is missing or does not answer as it must; never for being slow. */
  run(options: BenchmarkOptions): Promise<BenchmarkResult>
}
