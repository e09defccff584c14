/**
 * Something that is killed and started again, and when it was down.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Kill, VictimKind } from './plan.ts'

/** From the kill until it answered again; monotonic milliseconds. */
export interface Outage {
  readonly fromMs: number
  /** Infinity while it lasts. */
  readonly toMs: number
}

/** How something is killed and started. */
export interface VictimOptions {
  readonly name: string
  readonly kind: VictimKind
  /** SIGKILL. Rejects if it had ended by itself. */
  kill(): Promise<void>
  /** Starts it as before; resolves when it does its work. */
  start(): Promise<void>
  /** When it aborts, what is down stays down: strikes reject. */
  readonly over: AbortSignal
  /** Shared with those of which only one may be down at a time; default its own. */
  readonly turns?: Turns
}

/** Who is struck one after the other. */
export interface Turns {
  last: Promise<unknown>
}

/** Something that can be struck. */
export interface Victim {
  readonly name: string
  readonly kind: VictimKind
  readonly outages: readonly Outage[]
  /** Kills it, but not while it is down from the strike before; resolves when it does its work again. */
  strike(kill: Pick<Kill, 'upMs' | 'downMs'>): Promise<Outage>
  /** Resolves when it is not down. Rejects if it cannot be started again. */
  whenUp(): Promise<unknown>
}

/** Creates turns of which none was taken yet. */
export const createTurns = (): Turns => ({ last: Promise.resolve() })

/** Creates a victim, which is running. */
export function createVictim(options: VictimOptions): Victim {
  const { name, kind, kill, start, over, turns = createTurns() } = options
  const outages: Outage[] = []
  let up: Promise<unknown> = Promise.resolve()

  const goDown = async (downMs: number): Promise<Outage> => {
    const outage = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY }
    outages.push(outage)
    await kill()
    await pause(downMs, undefined, { signal: over })
    await start()
    outage.toMs = performance.now()
    return outage
  }

  const strike = async ({ upMs, downMs }: Pick<Kill, 'upMs' | 'downMs'>): Promise<Outage> => {
    const upSinceMs = outages.at(-1)?.toMs ?? 0
    await pause(upSinceMs + upMs - performance.now(), undefined, { signal: over })
    const outage = goDown(downMs)
    up = outage
    return outage
  }

  return {
    name,
    kind,
    outages,
    strike: given => {
      const struck = turns.last.then(() => strike(given))
      turns.last = struck
      return struck
    },
    whenUp: () => up,
  }
}
