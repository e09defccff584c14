/**
 * What happened in a simulation, for people: the last events, or all.
 *
 * @module
 */

/** Takes note of what happens. */
export interface Trace {
  /** Notes an event of a machine, or of the world. Nothing that differs between two runs of a seed. */
  add(who: string, what: string): void
  /** The events that are kept, oldest first. */
  lines(): readonly string[]
}

/** Creates a trace that keeps the last `limit` events; `nowMs` is asked for the time of each. */
export function createTrace(limit: number, nowMs: () => number): Trace {
  let kept: string[] = []
  return {
    add: (who, what) => {
      kept.push(`${(nowMs() / 1_000).toFixed(3).padStart(9)}  ${who.padEnd(10)} ${what}`)
      if (kept.length >= 2 * limit) kept = kept.slice(-limit)
    },
    lines: () => kept.slice(-limit),
  }
}
