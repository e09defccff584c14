/**
 * From the hash of a key to a 32-bit number, in typed arrays: for millions of keys, without an object for any of them.
 * It grows and shrinks in 1,024 parts, so that no step takes long.
 *
 * @module
 */

import { randomInt } from 'node:crypto'
import type { KeyWords } from './key-words.ts'

const randomOdd = () => randomInt(2 ** 31) * 2 + 1

/**
 * A hash of its own for each map: the key of a restoration is what an event says, and nobody may know which keys meet.
 * Multilinear over halves of words (Lemire, Kaser: "Strongly universal string hashing is fast", 2013), then mixed.
 */
export function createKeyHash(): (words: KeyWords) => number {
  const factors = Array.from({ length: 9 }, randomOdd)
  const [f0, f1, f2, f3, f4, f5, f6, f7, f8] = factors as unknown as Nine
  return ([k0, k1, k2, k3]) => {
    const sum =
      Math.imul(k0 & 0xffff, f0) +
      Math.imul(k0 >>> 16, f1) +
      Math.imul(k1 & 0xffff, f2) +
      Math.imul(k1 >>> 16, f3) +
      Math.imul(k2 & 0xffff, f4) +
      Math.imul(k2 >>> 16, f5) +
      Math.imul(k3 & 0xffff, f6) +
      Math.imul(k3 >>> 16, f7)
    return Math.imul(sum ^ (sum >>> 15), f8) >>> 0
  }
}

type Nine = readonly [number, number, number, number, number, number, number, number, number]

const partBits = 10
const firstSlots = 16
/** Share of a part's slots in use at which it doubles, and at which it halves. */
const fullAt = 0.75
const sparseAt = 0.15

/** Open addressing; a slot is two words: the hash, and the number plus one, or 0 for a free slot. */
interface Part {
  slots: Uint32Array
  count: number
}

/** Numbers by hash; several keys may have the same hash. */
export class KeyIndex {
  readonly #parts = new Array<Part | undefined>(2 ** partBits)

  /** The number with this hash that `isIt` accepts; -1 if there is none. */
  find(hash: number, isIt: (number: number) => boolean): number {
    const part = this.#parts[hash >>> (32 - partBits)]
    if (part === undefined) return -1
    const { slots } = part
    for (let slot = homeOf(hash, slots); slots[slot + 1] !== 0; slot = after(slot, slots)) {
      const number = (slots[slot + 1] as number) - 1
      if (slots[slot] === hash && isIt(number)) return number
    }
    return -1
  }

  /** Adds a number, from 0 to 2^32 - 2. */
  add(hash: number, number: number): void {
    const place = hash >>> (32 - partBits)
    const part = this.#parts[place] ?? { slots: new Uint32Array(2 * firstSlots), count: 0 }
    this.#parts[place] = part
    part.count += 1
    if (part.count > (part.slots.length / 2) * fullAt) resize(part, part.slots.length * 2)
    put(part.slots, hash, number + 1)
  }

  /** Puts a number in the place of another one, which must be there. */
  replace(hash: number, old: number, number: number): void {
    const { slots } = this.#parts[hash >>> (32 - partBits)] as Part
    slots[slotOf(slots, hash, old) + 1] = number + 1
  }

  /** Removes a number, which must be there. */
  remove(hash: number, number: number): void {
    const part = this.#parts[hash >>> (32 - partBits)] as Part
    free(part.slots, slotOf(part.slots, hash, number))
    part.count -= 1
    const isSparse = part.slots.length > 2 * firstSlots && part.count < (part.slots.length / 2) * sparseAt
    if (isSparse) resize(part, part.slots.length / 2)
  }
}

const homeOf = (hash: number, slots: Uint32Array): number => (hash << 1) & (slots.length - 1)

const after = (slot: number, slots: Uint32Array): number => (slot + 2) & (slots.length - 1)

function put(slots: Uint32Array, hash: number, stored: number): void {
  let slot = homeOf(hash, slots)
  while (slots[slot + 1] !== 0) slot = after(slot, slots)
  slots[slot] = hash
  slots[slot + 1] = stored
}

function slotOf(slots: Uint32Array, hash: number, number: number): number {
  let slot = homeOf(hash, slots)
  while (slots[slot] !== hash || slots[slot + 1] !== number + 1) {
    if (slots[slot + 1] === 0) throw new Error('a key is not in the index')
    slot = after(slot, slots)
  }
  return slot
}

/** Frees a slot; what lies behind it and belongs before it moves up, so that no search ends too early. */
function free(slots: Uint32Array, freed: number): void {
  const mask = slots.length - 1
  let gap = freed
  for (let slot = after(gap, slots); slots[slot + 1] !== 0; slot = after(slot, slots)) {
    const home = homeOf(slots[slot] as number, slots)
    if (((slot - home) & mask) < ((slot - gap) & mask)) continue
    slots[gap] = slots[slot] as number
    slots[gap + 1] = slots[slot + 1] as number
    gap = slot
  }
  slots[gap + 1] = 0
}

function resize(part: Part, length: number): void {
  const old = part.slots
  part.slots = new Uint32Array(length)
  for (let slot = 0; slot < old.length; slot += 2) {
    if (old[slot + 1] !== 0) put(part.slots, old[slot] as number, old[slot + 1] as number)
  }
}
