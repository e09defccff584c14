/**
 * The table of an enforcer: key -> until when, and issued before when. 24 bytes an entry, no identifiers.
 *
 * Extendible hashing: a directory of segments of a fixed size; a full segment splits in two. So every step, growth,
 * split or pruning, touches one segment, and a search always looks at one.
 *
 * @module
 */
import { randomInt } from 'node:crypto'
import { RescindError } from './error.ts'
import type { Times } from './live-key.ts'
import {
  addEntry,
  countExpired,
  createSegment,
  type EntryVisitor,
  findSlot,
  type Segment,
  segmentBytes,
  segmentSlots,
  slotWord,
  visitSegment,
  writeSlot,
  writeTimes,
} from './segment.ts'

/** What a table needs from its surroundings. */
export interface TableOptions {
  /** Gives zeroed memory for a segment; default: an ArrayBuffer. */
  readonly allocate?: (bytes: number) => ArrayBufferLike
  /** Odd 32-bit multipliers of the hash; default: random, so that nobody can aim at one segment. */
  readonly multipliers?: readonly [number, number]
}

/** Load at which a segment splits: a search for an absent key then reads about 13 first words. */
const segmentEntriesLimit = Math.floor(segmentSlots * 0.8)

/** Average to which room is made: so far below the limit that hardly a segment splits. */
const reservedEntries = Math.floor(segmentEntriesLimit * 0.92)

/** Two halves merge below this: so few that they do not split again soon, and that pruning and merging stay a step. */
const mergedEntriesLimit = Math.floor(segmentSlots * 0.5)

/** The directory has at most 2^20 places: beyond 3 billion entries, or when hashes were aimed. */
const depthLimit = 20

/** The table; times in seconds. One writer; readers in the same thread see whole entries. */
export class RevocationTable {
  /** Slots that the last {@link set} or {@link pruneStep} moved; never more than a segment has. */
  movedByLastStep = 0

  readonly #allocate: (bytes: number) => ArrayBufferLike
  readonly #multipliers: readonly [number, number]
  #directory: Segment[]
  #depth = 0
  #size = 0
  #segments = 1
  #pruneAt = 0

  constructor(options: TableOptions = {}) {
    this.#allocate = options.allocate ?? (bytes => new ArrayBuffer(bytes))
    this.#multipliers = options.multipliers ?? [randomInt(2 ** 31) | 1, randomInt(2 ** 31) | 1]
    this.#directory = [this.#newSegment(0)]
  }

  /** Entries, tombstones and expired ones included until they are pruned. */
  get size(): number {
    return this.#size
  }

  /** Bytes of the segments. */
  get bytes(): number {
    return this.#segments * segmentBytes
  }

  /**
   * Makes room for so many entries, and pauses after each segment; nothing else may use the table until it is done, and a
   * table with entries stays as it is. More may come, or fewer: room that is not needed goes as the table is pruned.
   */
  *reserve(entries: number): Generator<void> {
    const depth = Math.min(depthLimit, Math.ceil(Math.log2(entries / reservedEntries)))
    if (this.#size > 0 || depth <= this.#depth) return
    const segments: Segment[] = []
    while (segments.length < 2 ** depth) {
      segments.push(this.#newSegment(depth))
      yield
    }
    this.#directory = segments
    this.#segments = segments.length
    this.#depth = depth
    this.#pruneAt = 0
  }

  /**
   * Replaces the whole state of a key.
   *
   * @throws RescindError ERR_TABLE_FULL when it cannot grow; the entry is not stored then.
   */
  set(k0: number, k1: number, k2: number, k3: number, expiresAt: number, issuedBefore: number): void {
    const hash = this.#hash(k1, k2)
    this.movedByLastStep = 0
    let segment = this.#segmentOf(hash)
    let slot = findSlot(segment, hash, k0, k1, k2, k3)
    if (slot < 0) {
      if (segment.count >= segmentEntriesLimit) segment = this.#makeRoom(segment, hash)
      slot = -1 - findSlot(segment, hash, k0, k1, k2, k3)
      writeSlot(segment.words, slot, k0, k1, k2, k3)
      segment.count++
      this.#size++
    }
    writeTimes(segment.words, slot, expiresAt, issuedBefore)
  }

  /**
   * Merges with what is there: the later of each time.
   *
   * @returns whether the entry is now the one given.
   * @throws RescindError as {@link set} does.
   */
  raise(k0: number, k1: number, k2: number, k3: number, expiresAt: number, issuedBefore: number): boolean {
    const hash = this.#hash(k1, k2)
    const segment = this.#segmentOf(hash)
    const slot = findSlot(segment, hash, k0, k1, k2, k3)
    const latestExpiry = slot < 0 ? expiresAt : Math.max(expiresAt, slotWord(segment.words, slot, 4))
    const latestCut = slot < 0 ? issuedBefore : Math.max(issuedBefore, slotWord(segment.words, slot, 5))
    this.set(k0, k1, k2, k3, latestExpiry, latestCut)
    return latestExpiry === expiresAt && latestCut === issuedBefore
  }

  /**
   * Whether a token with this key is revoked.
   *
   * @param issuedAt the token's iat, rounded down.
   * @param liveAfter now minus the clock tolerance: entries that expired before are over.
   */
  rejects(k0: number, k1: number, k2: number, k3: number, issuedAt: number, liveAfter: number): boolean {
    const hash = this.#hash(k1, k2)
    const segment = this.#segmentOf(hash)
    const slot = findSlot(segment, hash, k0, k1, k2, k3)
    if (slot < 0) return false
    return slotWord(segment.words, slot, 4) > liveAfter && issuedAt <= slotWord(segment.words, slot, 5)
  }

  /** The times of a key's entry, be it a tombstone or expired; undefined without one. */
  times(k0: number, k1: number, k2: number, k3: number): Times | undefined {
    const hash = this.#hash(k1, k2)
    const { words } = this.#segmentOf(hash)
    const slot = findSlot(this.#segmentOf(hash), hash, k0, k1, k2, k3)
    return slot < 0
      ? undefined
      : { expiresAt: slotWord(words, slot, 4), issuedBefore: slotWord(words, slot, 5) }
  }

  /** Whether the key has an entry, be it a tombstone or expired. */
  has(k0: number, k1: number, k2: number, k3: number): boolean {
    const hash = this.#hash(k1, k2)
    return findSlot(this.#segmentOf(hash), hash, k0, k1, k2, k3) >= 0
  }

  /**
   * Visits every entry, and pauses after each segment. Entries that are changed meanwhile may be visited as they were;
   * pruned ones too.
   */
  *visit(visit: EntryVisitor): Generator<void> {
    for (const segment of new Set(this.#directory)) {
      visitSegment(segment, visit)
      yield
    }
  }

  /**
   * Removes from the next segment in turn what expired at or before a time, tombstones too.
   *
   * @returns true when every segment had its turn once more.
   */
  pruneStep(expiredAt: number): boolean {
    this.movedByLastStep = 0
    const place = this.#pruneAt
    this.#pruneSegment(this.#directory[place] as Segment, expiredAt)
    this.#merge(place)
    this.#pruneAt += 2 ** (this.#depth - (this.#directory[place] as Segment).depth)
    if (this.#pruneAt < this.#directory.length) return false
    this.#pruneAt = 0
    return true
  }

  #hash(k1: number, k2: number): number {
    return (Math.imul(k1, this.#multipliers[0]) + Math.imul(k2, this.#multipliers[1])) >>> 0
  }

  #segmentOf(hash: number): Segment {
    return this.#directory[this.#placeOf(hash)] as Segment
  }

  #placeOf(hash: number): number {
    return this.#depth === 0 ? 0 : hash >>> (32 - this.#depth)
  }

  #newSegment(depth: number): Segment {
    return createSegment(this.#allocate(segmentBytes), depth)
  }

  #makeRoom(segment: Segment, hash: number): Segment {
    if (segment.depth < depthLimit) this.#split(segment, hash)
    const half = this.#segmentOf(hash)
    if (half.count < segmentSlots - 1) return half
    throw new RescindError('ERR_TABLE_FULL', 'the revocation table cannot grow any more')
  }

  #split(full: Segment, hash: number): void {
    if (full.depth === this.#depth) this.#doubleDirectory()
    const halves = [this.#newSegment(full.depth + 1), this.#newSegment(full.depth + 1)] as const
    visitSegment(full, (k0, k1, k2, k3, expiresAt, issuedBefore) => {
      const entryHash = this.#hash(k1, k2)
      const half = halves[(entryHash >>> (31 - full.depth)) & 1] as Segment
      addEntry(half, entryHash, k0, k1, k2, k3, expiresAt, issuedBefore)
      this.movedByLastStep++
    })
    this.#replace(full, hash, halves)
    this.#segments++
  }

  #doubleDirectory(): void {
    this.#directory = this.#directory.flatMap(segment => [segment, segment])
    this.#depth++
    this.#pruneAt *= 2
  }

  #replace(old: Segment, hash: number, halves: readonly [Segment, Segment]): void {
    const places = 2 ** (this.#depth - old.depth)
    const first = this.#placeOf(hash) & -places
    this.#directory.fill(halves[0], first, first + places / 2)
    this.#directory.fill(halves[1], first + places / 2, first + places)
  }

  #pruneSegment(segment: Segment, expiredAt: number): void {
    const expired = countExpired(segment, expiredAt)
    if (expired === 0) return
    const kept = this.#newSegment(segment.depth)
    this.#move(segment, kept, expiredAt)
    this.#size -= expired
    segment.words = kept.words
    segment.count = kept.count
  }

  /** Makes one segment of two halves that became small, so that memory returns. */
  #merge(place: number): void {
    const segment = this.#directory[place] as Segment
    const places = 2 ** (this.#depth - segment.depth)
    const buddy = this.#directory[place ^ places] as Segment
    if (segment.depth === 0 || buddy.depth !== segment.depth) return
    if (segment.count + buddy.count > mergedEntriesLimit) return
    const merged = this.#newSegment(segment.depth - 1)
    this.#move(segment, merged, -1)
    this.#move(buddy, merged, -1)
    const first = place & -(2 * places)
    this.#directory.fill(merged, first, first + 2 * places)
    this.#pruneAt = first
    this.#segments--
  }

  #move(from: Segment, to: Segment, expiredAt: number): void {
    visitSegment(from, (k0, k1, k2, k3, expiresAt, issuedBefore) => {
      if (expiresAt <= expiredAt) return
      addEntry(to, this.#hash(k1, k2), k0, k1, k2, k3, expiresAt, issuedBefore)
      this.movedByLastStep++
    })
  }
}
