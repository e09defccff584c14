/**
 * Keys with a single revocation, or none, in typed arrays: 62 bytes each. Of a key with more, a row holds the entry alone.
 *
 * @module
 */
import type { KeyWords } from './key-index.ts'
import type { LiveEntry, LiveKey, LiveKeyImage } from './live-key.ts'

/** Key 4, id of the revocation 4, expiresAt, issuedBefore, restoredUntil. */
const rowWords = 11
/** changedAt, and where the log last holds the revocation. */
const rowPositions = 2
/** What the row is, and the number of its claim set. */
const rowMarks = 2

const isLive = 1
const hasSingle = 2
const hasMore = 4
const hasLeftovers = 8
const hasClaimSet = 16

/** Rows, each in its place from 0 on. One that is not live any more keeps its place until the others are copied. */
export class Rows {
  /** Places in use. */
  count = 0
  readonly #words: Uint32Array
  readonly #positions: Float64Array
  readonly #marks: Uint8Array

  constructor(capacity: number) {
    this.#words = new Uint32Array(capacity * rowWords)
    this.#positions = new Float64Array(capacity * rowPositions)
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
    copyRow(others.#positions, at, this.#positions, to, rowPositions)
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
    this.#positions[at * rowPositions] = live.changedAt
    this.#positions[at * rowPositions + 1] = single?.position ?? 0
    this.#marks[at * rowMarks] =
      isLive |
      (single === undefined ? 0 : hasSingle) |
      (isMore ? hasMore : 0) |
      (live.hasLeftovers ? hasLeftovers : 0) |
      (live.claimSet === undefined ? 0 : hasClaimSet)
    this.#marks[at * rowMarks + 1] = live.claimSet ?? 0
  }

  /** The row is not live any more. */
  remove(at: number): void {
    this.#marks[at * rowMarks] = 0
  }

  /** Whether the row counts. */
  isLive(at: number): boolean {
    return this.#isMarked(at, isLive)
  }

  /** Whether it is live and its `changedAt` greater than this. */
  isAfter(at: number, position: number): boolean {
    return this.isLive(at) && this.changedAt(at) > position
  }

  /** Whether its key has more revocations than a row can hold. */
  hasMore(at: number): boolean {
    return this.#isMarked(at, hasMore)
  }

  /** See `LiveEntry`. */
  hasLeftovers(at: number): boolean {
    return this.#isMarked(at, hasLeftovers)
  }

  /** See `LiveEntry`; also of a row that is not live any more. */
  changedAt(at: number): number {
    return this.#positions[at * rowPositions] as number
  }

  /** The key of a row, live or not. */
  key(at: number): KeyWords {
    const first = at * rowWords
    const word = (index: number) => this.#words[first + index] as number
    return [word(0), word(1), word(2), word(3)]
  }

  /** Whether this is the key of a row. */
  hasKey(at: number, [k0, k1, k2, k3]: KeyWords): boolean {
    const first = at * rowWords
    const words = this.#words
    return (
      words[first] === k0 && words[first + 1] === k1 && words[first + 2] === k2 && words[first + 3] === k3
    )
  }

  /** What enforcers are sent of the key, and what its upkeep needs. */
  entry(at: number): LiveEntry {
    const first = at * rowWords
    const expiresAt = this.#words[first + 8] as number
    return {
      entry: { expiresAt, issuedBefore: this.#words[first + 9] as number },
      changedAt: this.changedAt(at),
      lastNeededAt: Math.max(expiresAt, this.#words[first + 10] as number),
      hasLeftovers: this.hasLeftovers(at),
      size: this.#isMarked(at, hasSingle) ? 1 : 0,
    }
  }

  /** Everything of a key that has no more than fits. */
  image(at: number): LiveKeyImage {
    const { entry: times, changedAt } = this.entry(at)
    const id = readId(this.#words, at * rowWords + 4)
    const position = this.#positions[at * rowPositions + 1] as number
    return {
      changedAt,
      restoredUntil: this.#words[at * rowWords + 10] as number,
      claimSet: this.#isMarked(at, hasClaimSet) ? this.#marks[at * rowMarks + 1] : undefined,
      merged: undefined,
      mergedLeftover: undefined,
      singles: this.#isMarked(at, hasSingle) ? [{ id, times, position }] : [],
    }
  }

  #isMarked(at: number, mark: number): boolean {
    return ((this.#marks[at * rowMarks] as number) & mark) !== 0
  }
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
