/**
 * Keys with a single revocation, or none, in typed arrays: 62 bytes each. Of a key with more, a row holds the entry alone.
 *
 * @module
 */
import type { KeyWords } from './key-words.ts'
import type { LiveKey, LiveKeyImage } from './live-key.ts'

/** Key 4, id of the revocation 4, expiresAt, issuedBefore, restoredUntil. */
const rowWords = 11
/** changedAt, and the least sequence number of its revocations. */
const rowNumbers = 2
/** What the row is, and the number of its claim set. */
const rowMarks = 2

/** Bytes of a row, see `Rows.writeTo`. */
export const rowBytes = rowWords * 4 + rowNumbers * 8 + rowMarks

const liveMark = 1
const singleMark = 2
const moreMark = 4
const claimSetMark = 8

/** Sequence number of what has no revocations. */
const never = Number.POSITIVE_INFINITY
/** That of what was left over before, and merged. */
const longAgo = -1

/** The key of a row that was written as bytes. */
export const keyInBytes = (bytes: Buffer, offset: number): KeyWords => [
  bytes.readUInt32BE(offset),
  bytes.readUInt32BE(offset + 4),
  bytes.readUInt32BE(offset + 8),
  bytes.readUInt32BE(offset + 12),
]

/** The `changedAt` of a row that was written as bytes. */
export const changedAtInBytes = (bytes: Buffer, offset: number): number =>
  bytes.readDoubleBE(offset + rowWords * 4)

/** Rows, each in its place from 0 on. One that is not live any more keeps its place until the others are copied. */
export class Rows {
  /** Places in use. */
  count = 0
  readonly #words: Uint32Array
  readonly #numbers: Float64Array
  readonly #marks: Uint8Array

  constructor(capacity: number) {
    this.#words = new Uint32Array(capacity * rowWords)
    this.#numbers = new Float64Array(capacity * rowNumbers)
    this.#marks = new Uint8Array(capacity * rowMarks)
  }

  /** Adds a row that has a key and nothing else; returns its place. */
  add([k0, k1, k2, k3]: KeyWords): number {
    const at = this.count++
    const first = at * rowWords
    this.#words[first] = k0
    this.#words[first + 1] = k1
    this.#words[first + 2] = k2
    this.#words[first + 3] = k3
    return at
  }

  /** Adds a row of others. */
  addFrom(others: Rows, at: number): number {
    const to = this.count++
    copyRow(others.#words, at, this.#words, to, rowWords)
    copyRow(others.#numbers, at, this.#numbers, to, rowNumbers)
    copyRow(others.#marks, at, this.#marks, to, rowMarks)
    return to
  }

  /** Writes what is live under the key of a row; what does not fit must be kept elsewhere, see the method `hasMore`. */
  write(at: number, live: LiveKey): void {
    const [single] = live.singles
    const isMore = live.size > 1 || (single === undefined && live.size > 0)
    const first = at * rowWords
    if (single !== undefined) writeId(this.#words, first + 4, single.id)
    this.#words[first + 8] = live.entry.expiresAt
    this.#words[first + 9] = live.entry.issuedBefore
    this.#words[first + 10] = live.restoredUntil
    this.#numbers[at * rowNumbers] = live.changedAt
    this.#numbers[at * rowNumbers + 1] = leastSequence(live.image)
    this.#marks[at * rowMarks] =
      liveMark |
      (single === undefined ? 0 : singleMark) |
      (isMore ? moreMark : 0) |
      (live.claimSet === undefined ? 0 : claimSetMark)
    this.#marks[at * rowMarks + 1] = live.claimSet ?? 0
  }

  /** The row is not live any more. */
  remove(at: number): void {
    this.#marks[at * rowMarks] = 0
  }

  /** Whether the row counts. */
  isLive(at: number): boolean {
    return this.#isMarked(at, liveMark)
  }

  /** Whether its key has more revocations than a row can hold. */
  hasMore(at: number): boolean {
    return this.#isMarked(at, moreMark)
  }

  /** Whether its key has a revocation, and no other that is held singly unless it {@link hasMore}. */
  hasSingle(at: number): boolean {
    return this.#isMarked(at, singleMark)
  }

  /** See `LiveKey`. */
  claimSet(at: number): number | undefined {
    return this.#isMarked(at, claimSetMark) ? this.#marks[at * rowMarks + 1] : undefined
  }

  /** Whether something of it was read before this sequence number, and not again. */
  hasBefore(at: number, since: number): boolean {
    return (this.#numbers[at * rowNumbers + 1] as number) < since
  }

  /** See `LiveKey.isForgotten`. */
  isForgotten(at: number, since: number): boolean {
    return this.changedAt(at) < since && this.#numbers[at * rowNumbers + 1] === never
  }

  /** See `LiveEntry`; also of a row that is not live any more. */
  changedAt(at: number): number {
    return this.#numbers[at * rowNumbers] as number
  }

  /** See `Times`. */
  expiresAt(at: number): number {
    return this.#words[at * rowWords + 8] as number
  }

  /** See `Times`. */
  issuedBefore(at: number): number {
    return this.#words[at * rowWords + 9] as number
  }

  /** Until when it is a tombstone, seconds. */
  restoredUntil(at: number): number {
    return this.#words[at * rowWords + 10] as number
  }

  /** Word 0 to 3 of the key of a row, live or not. */
  keyWord(at: number, index: number): number {
    return this.#words[at * rowWords + index] as number
  }

  /** The key of a row, live or not. */
  key(at: number): KeyWords {
    return [this.keyWord(at, 0), this.keyWord(at, 1), this.keyWord(at, 2), this.keyWord(at, 3)]
  }

  /** Whether this is the key of a row. */
  hasKey(at: number, [k0, k1, k2, k3]: KeyWords): boolean {
    const first = at * rowWords
    const words = this.#words
    return (
      words[first] === k0 && words[first + 1] === k1 && words[first + 2] === k2 && words[first + 3] === k3
    )
  }

  /** Everything of a key that has no more than fits. */
  image(at: number): LiveKeyImage {
    const times = { expiresAt: this.expiresAt(at), issuedBefore: this.issuedBefore(at) }
    const id = readId(this.#words, at * rowWords + 4)
    const sequence = this.#numbers[at * rowNumbers + 1] as number
    return {
      changedAt: this.changedAt(at),
      restoredUntil: this.restoredUntil(at),
      claimSet: this.claimSet(at),
      merged: undefined,
      mergedLeftover: undefined,
      singles: this.hasSingle(at) ? [{ id, times, sequence }] : [],
    }
  }

  /** Writes a row as bytes, for a checkpoint. */
  writeTo(at: number, bytes: Buffer, offset: number): void {
    for (let word = 0; word < rowWords; word++)
      bytes.writeUInt32BE(this.#words[at * rowWords + word] as number, offset + word * 4)
    bytes.writeDoubleBE(this.#numbers[at * rowNumbers] as number, offset + rowWords * 4)
    bytes.writeDoubleBE(this.#numbers[at * rowNumbers + 1] as number, offset + rowWords * 4 + 8)
    bytes[offset + rowBytes - 2] = this.#marks[at * rowMarks] as number
    bytes[offset + rowBytes - 1] = this.#marks[at * rowMarks + 1] as number
  }

  /** Reads a row that was written as bytes. */
  readFrom(at: number, bytes: Buffer, offset: number): void {
    for (let word = 0; word < rowWords; word++)
      this.#words[at * rowWords + word] = bytes.readUInt32BE(offset + word * 4)
    this.#numbers[at * rowNumbers] = bytes.readDoubleBE(offset + rowWords * 4)
    this.#numbers[at * rowNumbers + 1] = bytes.readDoubleBE(offset + rowWords * 4 + 8)
    this.#marks[at * rowMarks] = bytes[offset + rowBytes - 2] as number
    this.#marks[at * rowMarks + 1] = bytes[offset + rowBytes - 1] as number
  }

  #isMarked(at: number, mark: number): boolean {
    return ((this.#marks[at * rowMarks] as number) & mark) !== 0
  }
}

function leastSequence({ singles, merged, mergedLeftover }: LiveKeyImage): number {
  if (mergedLeftover !== undefined) return longAgo
  return Math.min(merged?.sequence ?? never, ...singles.map(({ sequence }) => sequence))
}

type Column = Uint32Array | Float64Array | Uint8Array

function copyRow<T extends Column>(from: T, at: number, to: T, toAt: number, width: number): void {
  for (let index = 0; index < width; index++) to[toAt * width + index] = from[at * width + index] as number
}

/** An id is 32 hex digits. */
function writeId(words: Uint32Array, first: number, id: string): void {
  for (let word = 0; word < 4; word++) {
    words[first + word] = Number.parseInt(id.slice(word * 8, word * 8 + 8), 16)
  }
}

function readId(words: Uint32Array, first: number): string {
  let id = ''
  for (let word = 0; word < 4; word++) id += (words[first + word] as number).toString(16).padStart(8, '0')
  return id
}
