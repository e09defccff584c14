/**
 * One segment of the revocation table: a fixed number of slots with open addressing. The first words of all keys lie
 * side by side, so that a search reads little else; the other words of an entry lie together behind them, so that to find
 * or write one takes two lines of the processor's cache.
 *
 * @module
 */

/** Slots of a segment. A step of the table moves at most this many. */
export const segmentSlots = 4096

/** Words (32 bits) of an entry: key 4, expiresAt, issuedBefore. */
export const entryWords = 6

/** Words of an entry behind the first words of all. */
const restWords = entryWords - 1

/** Bytes of an entry in memory. */
export const entryBytes = entryWords * 4

/** Bytes of a segment in memory. */
export const segmentBytes = segmentSlots * entryBytes

const slotMask = segmentSlots - 1

/** A segment; `depth` leading bits of the hash are the same in all its entries. */
export interface Segment {
  words: Uint32Array
  depth: number
  count: number
}

/** Called with each entry: the four words of its key, expiresAt and issuedBefore in seconds. */
export type EntryVisitor = (
  k0: number,
  k1: number,
  k2: number,
  k3: number,
  expiresAt: number,
  issuedBefore: number,
) => void

/** An empty segment in this memory. */
export const createSegment = (memory: ArrayBufferLike, depth: number): Segment => ({
  words: new Uint32Array(memory, 0, segmentSlots * entryWords),
  depth,
  count: 0,
})

/**
 * A key's first word as it is stored. 0 marks a free slot, so it is stored as 1: keys that differ only in that are
 * one in 2^127.
 */
const storedFirstWord = (k0: number): number => (k0 === 0 ? 1 : k0)

/** The slot of a key, or, if it is not there, the free slot where it belongs, as -1 - slot. */
export function findSlot(
  segment: Segment,
  hash: number,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
): number {
  const words = segment.words
  const first = storedFirstWord(k0)
  let slot = (hash >>> (20 - segment.depth)) & slotMask
  for (let probes = 0; probes < segmentSlots; probes++) {
    const found = words[slot]
    if (found === 0) return -1 - slot
    const rest = segmentSlots + slot * restWords
    if (found === first && words[rest] === k1 && words[rest + 1] === k2 && words[rest + 2] === k3) {
      return slot
    }
    slot = (slot + 1) & slotMask
  }
  throw new Error('a segment has no free slot')
}

/** Writes the key of an entry into a slot. */
export function writeSlot(
  words: Uint32Array,
  slot: number,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
): void {
  const rest = segmentSlots + slot * restWords
  words[slot] = storedFirstWord(k0)
  words[rest] = k1
  words[rest + 1] = k2
  words[rest + 2] = k3
}

/** Writes the times of the entry in a slot. */
export function writeTimes(words: Uint32Array, slot: number, expiresAt: number, issuedBefore: number): void {
  const rest = segmentSlots + slot * restWords
  words[rest + 3] = expiresAt
  words[rest + 4] = issuedBefore
}

/** Word 0 to 5 of the entry in a slot. */
export const slotWord = (words: Uint32Array, slot: number, word: number): number =>
  (word === 0 ? words[slot] : words[segmentSlots + slot * restWords + word - 1]) as number

/** How many entries expired at or before a time, tombstones included. */
export function countExpired(segment: Segment, expiredAt: number): number {
  let expired = 0
  for (let slot = 0; slot < segmentSlots; slot++) {
    if (slotWord(segment.words, slot, 0) !== 0 && slotWord(segment.words, slot, 4) <= expiredAt) expired++
  }
  return expired
}

/** Visits every entry. */
export function visitSegment(segment: Segment, visit: EntryVisitor): void {
  const words = segment.words
  for (let slot = 0; slot < segmentSlots; slot++) {
    const k0 = slotWord(words, slot, 0)
    if (k0 === 0) continue
    visit(
      k0,
      slotWord(words, slot, 1),
      slotWord(words, slot, 2),
      slotWord(words, slot, 3),
      slotWord(words, slot, 4),
      slotWord(words, slot, 5),
    )
  }
}

/** Adds an entry that is not there; there must be a free slot. */
export function addEntry(
  segment: Segment,
  hash: number,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
  expiresAt: number,
  issuedBefore: number,
): void {
  const slot = -1 - findSlot(segment, hash, k0, k1, k2, k3)
  writeSlot(segment.words, slot, k0, k1, k2, k3)
  writeTimes(segment.words, slot, expiresAt, issuedBefore)
  segment.count++
}
