/**
 * Times by the million: counted in steps of 0.1 ms instead of kept.
 *
 * @module
 */

/** Counts times. */
export interface Histogram {
  readonly count: number
  readonly maxMs: number
  add(ms: number): void
  /** The time below which a share of them lies (nearest rank, rounded up to a step); NaN for none. */
  quantileMs(share: number): number
}

const stepsPerMs = 10
/** Longer times count as this long, but for `maxMs`. */
const limitMs = 60_000

/** Nothing was counted yet. */
export const createHistogram = (): Histogram => {
  const steps = new Uint32Array(limitMs * stepsPerMs + 1)
  let count = 0
  let maxMs = 0
  return {
    get count() {
      return count
    },
    get maxMs() {
      return maxMs
    },
    add: ms => {
      const step = Math.min(steps.length - 1, Math.max(0, Math.ceil(ms * stepsPerMs)))
      steps[step] = (steps[step] as number) + 1
      count += 1
      if (ms > maxMs) maxMs = ms
    },
    quantileMs: share => {
      let left = Math.max(1, Math.ceil(count * share))
      for (let step = 0; step < steps.length; step++) {
        left -= steps[step] as number
        if (left <= 0) return step / stepsPerMs
      }
      return Number.NaN
    },
  }
}
