/**
 * The simulated network: what is sent takes time, and waits while the two ends are cut off from each other.
 *
 * @module
 */
import type { World } from './world.ts'

/** Carries things between machines, by their names; the log's servers are one machine, `log`. */
export interface Network {
  /** Lets something arrive: after a delay, and not while the two are cut off from each other. */
  carry(from: string, to: string, arrive: () => void): void
  isCut(one: string, other: string): boolean
  cut(one: string, other: string): void
  heal(one: string, other: string): void
  healAll(): void
}

/** How slow a network is. */
export interface NetworkOptions {
  /** Milliseconds, usually. */
  readonly delayMs: number
  /** How often something takes much longer. */
  readonly slowShare: number
}

const slowFactor = 100

/** Creates a network without cuts. */
export function createNetwork({ scheduler, dice, trace }: World, options: NetworkOptions): Network {
  const waiting = new Map<string, (() => void)[]>()
  const wayOf = (one: string, other: string) => [one, other].sort().join(' - ')
  const delayMs = () =>
    options.delayMs * dice.between(0.2, 1.8) * (dice.chance(options.slowShare) ? slowFactor : 1)

  const arriveOrWait = (way: string, arrive: () => void) => {
    const held = waiting.get(way)
    if (held === undefined) arrive()
    else held.push(arrive)
  }
  const heal = (way: string) => {
    const held = waiting.get(way) ?? []
    waiting.delete(way)
    trace.add('network', `${way} is whole again`)
    // What was sent first comes first: the delays grow.
    let ms = 0
    for (const arrive of held) {
      ms += delayMs() / 4
      scheduler.after(ms, () => arriveOrWait(way, arrive))
    }
  }

  return {
    carry: (from, to, arrive) => {
      const way = wayOf(from, to)
      scheduler.after(delayMs(), () => arriveOrWait(way, arrive))
    },
    isCut: (one, other) => waiting.has(wayOf(one, other)),
    cut: (one, other) => {
      const way = wayOf(one, other)
      if (waiting.has(way)) return
      trace.add('network', `${way} is cut`)
      waiting.set(way, [])
    },
    heal: (one, other) => {
      if (waiting.has(wayOf(one, other))) heal(wayOf(one, other))
    },
    healAll: () => {
      for (const way of [...waiting.keys()]) heal(way)
    },
  }
}
