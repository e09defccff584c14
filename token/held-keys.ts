/**
 * The keys of an issuer as last loaded, and until when they may be used. No I/O.
 *
 * @module
 */
import { holdsSameKeys, type KeySet } from './key-set.ts'

/** Keys that get too old. */
export interface HeldKeys {
  /** The keys; undefined before the first load, and from `maxAgeMs` after the last one on. */
  current(): KeySet | undefined
  /** Changes whenever the set of keys does, also when it gets too old. */
  generation(): number
  /** Time since the last load; undefined before the first. */
  ageMs(): number | undefined
  /** Takes over what was loaded just now; true if it differs from what was held. */
  adopt(loaded: KeySet): boolean
}

/**
 * @param maxAgeMs how long after a load its keys are used
 * @param steadyNowMs a clock that is never set back
 * @param onTooOld called once each time that keys are dropped for their age, by whoever looks first
 */
export function createHeldKeys(maxAgeMs: number, steadyNowMs: () => number, onTooOld: () => void): HeldKeys {
  let held: KeySet | undefined
  let loadedAtMs: number | undefined
  let generation = 0

  function ageMs(): number | undefined {
    return loadedAtMs === undefined ? undefined : steadyNowMs() - loadedAtMs
  }

  function current(): KeySet | undefined {
    if (!held || (ageMs() ?? 0) < maxAgeMs) return held
    held = undefined
    generation++
    onTooOld()
    return undefined
  }

  return {
    current,
    generation() {
      current()
      return generation
    },
    ageMs,
    adopt(loaded) {
      const changed = !held || !holdsSameKeys(held, loaded)
      held = loaded
      loadedAtMs = steadyNowMs()
      if (changed) generation++
      return changed
    },
  }
}
