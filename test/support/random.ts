/**
 * Random numbers from a seed: the same ones for the same seed.
 *
 * @module
 */

/** Numbers from 0 up to but not including 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws what is needed from random numbers. */
export interface Dice {
  /** From 0 up to but not including 1. */
  readonly next: () => number
  /** A whole number from 0 up to but not including the limit. */
  int(limit: number): number
  /** A number between the two. */
  between(low: number, high: number): number
  /** Whether something of this probability happens. */
  chance(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
  /** 32 hex digits. */
  id(): string
}

/** Dice that fall the same way for the same seed. */
export function createDice(seed: number): Dice {
  const next = createRandom(seed)
  const int = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    int,
    between: (low, high) => low + next() * (high - low),
    chance: probability => next() < probability,
    pick: items => items[int(items.length)] as (typeof items)[number],
    id: () =>
      Array.from({ length: 4 }, () =>
        int(2 ** 32)
          .toString(16)
          .padStart(8, '0'),
      ).join(''),
  }
}
