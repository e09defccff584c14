/**
 * A benchmark's result as a table for people.
 *
 * @module
 */
import type { Row } from './benchmark.ts'

/** The rows as lines of aligned columns. */
export const tableOf = (rows: readonly Row[]): string => {
  const whatWidth = Math.max(...rows.map(row => row.what.length))
  const valueWidth = Math.max(...rows.map(row => row.value.length))
  return rows
    .map(({ what, value, beside = '' }) =>
      `${what.padEnd(whatWidth)}  ${value.padStart(valueWidth)}  ${beside}`.trimEnd(),
    )
    .join('\n')
}

/** A count with separators, without fractions: 21,300. */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** A ratio with two digits: 0.87 x. */
export const times = (ratio: number): string => `${ratio.toFixed(2)} x`
