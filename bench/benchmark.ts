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
  /** Told what is being done, for people who wait. */
  readonly progress: (step: string) => void
}

/** Figures by name; the names carry units. */
export type Figures = Readonly<Record<string, number | string | boolean>>

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
