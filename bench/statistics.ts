/**
 * Figures from samples.
 *
 * @module
 */

/** The value below which a share of the sorted samples lies (nearest rank); NaN for none. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN

/**
 * The mean without the lowest and the highest sample: of three the median. A window of seconds has a full garbage
 * collection in it or has none, and is faster or slower for it; a median of a few would jump between the two. NaN for
 * none.
 */
export const typical = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length < 3 ? sorted : sorted.slice(1, -1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

/** The same of the ratios of samples that were taken next to each other; drift of the machine cancels out. */
export const typicalRatio = (subject: readonly number[], baseline: readonly number[]): number =>
  typical(subject.map((value, round) => value / (baseline[round] as number)))

/** Rounded to so many digits that count. */
export const rounded = (value: number, digits = 4): number => Number(value.toPrecision(digits))
