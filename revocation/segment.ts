/**
 * One segment of the revocation table: a fixed number of slots with open addressing. It is stored by columns, so
 * that a search reads only the first words of keys, which lie side by side.
 *
 * @module
 */

/** Slots of a segment. A step of the table moves at most this many. */
export const segmentSlots = 4096

/** Words (32 bits) of an entry: key 4, expiresAt, issuedBefore. */
export const entryWords = 6

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
export const storedFirstWord = (k0: number): number => (k0 === 0 ? 1 : k0)

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
    if (
      found === first &&
      words[segmentSlots + slot] === k1 &&
      words[2 * segmentSlots + slot] === k2 &&
      words[3 * segmentSlots + slot] === k3
    ) {
      return slot
    }
    slot = (slot + 1) & slotMask
  }
  throw new Error('a segment has no free slot')
}

/** Writes a whole entry into a slot. */
export function writeSlot(
  words: Uint32Array,
  slot: number,
  k0: number,
  k1: number,
  k2: number,
  k3: number,
): void {
  words[slot] = storedFirstWord(k0)
  words[segmentSlots + slot] = k1
  words[2 * segmentSlots + slot] = k2
  words[3 * segmentSlots + slot] = k3
}

/** Writes the times of the entry in a slot. */
export function writeTimes(words: Uint32Array, slot: number, expiresAt: number, issuedBefore: number): void {
  words[4 * segmentSlots + slot] = expiresAt
  words[5 * segmentSlots + slot] = issuedBefore
}

/** Word `column` (0 to 5) of the entry in a slot. */
export const slotWord = (words: Uint32Array, slot: number, column: number): number =>
  words[column * segmentSlots + slot] as number
