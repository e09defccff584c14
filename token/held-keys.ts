/**
 * The keys of an issuer as last loaded, and until when they may be used. No I/O.
 *
 * @module
 */
import { holdsSameKeys, type KeySet, type VerificationKey } from './key-set.ts'

/** Most retired keys; beyond that the oldest go. */
const retiredKeysLimit = 256

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
  /** Keys that left the set, for as long as tokens which they signed may still pass somewhere. */
  retired(): KeySet
}

/**
 * @param maxAgeMs how long after a load its keys are used
 * @param retiredMs how long a key that left the set is kept as retired; 0: not at all
 * @param steadyNowMs a clock that is never set back
 * @param onTooOld called once each time that keys are dropped for their age, by whoever looks first
 */
export function createHeldKeys(
  maxAgeMs: number,
  retiredMs: number,
  steadyNowMs: () => number,
  onTooOld: () => void,
): HeldKeys {
  const retired = new Map<VerificationKey, number>()
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

  function retire(key: VerificationKey, loaded: KeySet): void {
    if (retiredMs > 0 && !loaded.keys.has(key)) retired.set(key, steadyNowMs() + retiredMs)
    if (retired.size > retiredKeysLimit) retired.delete(retired.keys().next().value as VerificationKey)
  }

  return {
    current,
    retired() {
      for (const [key, untilMs] of retired) if (untilMs <= steadyNowMs()) retired.delete(key)
      return { keys: new Set(retired.keys()), skipped: {} }
    },
    generation() {
      current()
      return generation
    },
    ageMs,
    adopt(loaded) {
      const changed = !held || !holdsSameKeys(held, loaded)
      for (const key of held?.keys ?? []) retire(key, loaded)
      held = loaded
      loadedAtMs = steadyNowMs()
      if (changed) generation++
      return changed
    },
  }
}
