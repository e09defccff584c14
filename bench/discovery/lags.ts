/**
 * How long revocations were on their way to an enforcer.
 *
 * @module
 */
import type { Histogram } from '../load/histogram.ts'
import type { Fed } from './adapter.ts'
import type { Arrival } from './cheap-enforcer.ts'

/**
 * Counts for each revocation that was fed the time from when it was due until the first version that holds it arrived.
 * Throws if one has not arrived.
 */
export const addLags = (histogram: Histogram, fed: Fed, arrivals: readonly Arrival[]): void => {
  const { first, count, perSecond, startMs } = fed
  let next = arrivals.findIndex(({ version }) => version >= first)
  for (let number = 0; number < count; number++) {
    while ((arrivals[next]?.version ?? Number.POSITIVE_INFINITY) < first + number) next += 1
    const arrival = arrivals[next]
    if (arrival === undefined) throw new Error(`version ${first + number} has not arrived`)
    histogram.add(arrival.atMs - (startMs + ((number + 1) * 1_000) / perSecond))
  }
}
