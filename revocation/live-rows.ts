/**
 * An ordered map of keys for millions of them: rows in typed arrays, in the order in which they were appended, and an
 * index by key. The rows lie in chunks; what was removed leaves holes, and a chunk that is half empty is copied.
 *
 * @module
 */
import { createKeyHash, KeyIndex } from './key-index.ts'
import { type KeyWords, textOf, wordsOf } from './key-words.ts'
import { LiveKey, type LiveKeyImage } from './live-key.ts'
import { LiveRow } from './live-row.ts'
import { changedAtInBytes, keyInBytes, Rows } from './rows.ts'

/** Rows of a chunk; small enough that copying one is nothing an event loop notices. */
const defaultChunkRows = 4096

/** Some rows that were appended one after the other. A row's number is that of its chunk, and its place in it. */
interface Chunk {
  readonly number: number
  /** Replaced as a whole when the chunk is copied: whoever is reading the old ones reads on there. */
  rows: Rows
  live: number
  previous: Chunk | undefined
  next: Chunk | undefined
}

/** Keys that are held, those of them with leftovers, or also those that are only to be forgotten. */
type Which = 'held' | 'leftovers' | 'any'

/** A key as it lies in a checkpoint. */
export interface PackedKey {
  /** Holds the row at the offset, see `Rows.writeTo`. */
  readonly bytes: Buffer
  readonly offset: number
  /** Everything of the key, if it has more than fits into a row. */
  more(): LiveKeyImage
}

/** The row of a key, until something changes, and everything of the key if it has more than fits into it. */
export interface KeptKey {
  readonly row: LiveRow
  readonly more: LiveKeyImage | undefined
}

/** Live keys by their text, see `keyText`. What is read of them is a copy: changes must be written back. */
export class LiveRows {
  /** Sequence number at which the log begins: what was held before becomes leftovers when it is raised. */
  since = 0
  readonly #hash = createKeyHash()
  readonly #index = new KeyIndex()
  /** Keys with more revocations than fit into a row. */
  readonly #more = new Map<string, LiveKeyImage>()
  readonly #chunks: (Chunk | undefined)[] = []
  readonly #freeNumbers: number[] = []
  readonly #chunkRows: number
  #last: Chunk
  #size = 0

  constructor(chunkRows = defaultChunkRows) {
    this.#chunkRows = chunkRows
    this.#last = this.#newChunk()
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size
  }

  /** What is held under a key. */
  get(text: string): LiveKey | undefined {
    const number = this.#find(wordsOf(text))
    return number < 0 ? undefined : LiveKey.from(this.#imageAt(text, number), this.since)
  }

  /** Puts a key at the end; `live.changedAt` must not be less than that of any other. */
  append(text: string, live: LiveKey): void {
    this.#write(text, this.#add(wordsOf(text)), live)
  }

  /** Writes a key that is there, where it is. */
  replace(text: string, live: LiveKey): void {
    this.#write(text, this.#find(wordsOf(text)), live)
  }

  /** Forgets a key that is there. */
  delete(text: string): void {
    const words = wordsOf(text)
    const number = this.#find(words)
    this.#index.remove(this.#hash(words), number)
    this.#more.delete(text)
    this.#size -= 1
    this.#vacate(number)
  }

  /** What a checkpoint keeps of a key; undefined if it is not there. */
  kept(text: string): KeptKey | undefined {
    const number = this.#find(wordsOf(text))
    if (number < 0) return undefined
    const row = new LiveRow(this.#rowsOf(number), this.#placeOf(number), this.since)
    return { row, more: this.#more.get(text) }
  }

  /** Takes over what a checkpoint kept: in the place of the key if its entry had not changed, or else at the end. */
  load({ bytes, offset, more }: PackedKey): void {
    const words = keyInBytes(bytes, offset)
    const known = this.#find(words)
    const isInPlace =
      known >= 0 && this.#rowsOf(known).changedAt(this.#placeOf(known)) === changedAtInBytes(bytes, offset)
    if (known >= 0 && this.#rowsOf(known).hasMore(this.#placeOf(known))) this.#more.delete(textOf(words))
    const number = isInPlace ? known : this.#add(words)
    const [rows, at] = [this.#rowsOf(number), this.#placeOf(number)]
    rows.readFrom(at, bytes, offset)
    if (rows.hasMore(at)) this.#more.set(textOf(words), more())
  }

  /**
   * Keys whose `changedAt` is greater, in their order. They may be changed meanwhile: what is appended then comes at the
   * end. A key may come twice.
   *
   * @returns an object that tells of each in turn.
   */
  *after(sequence: number, which: Which = 'held'): Generator<LiveRow> {
    const row = new LiveRow(this.#last.rows, 0, this.since)
    for (let chunk: Chunk | undefined = this.#chunkAfter(sequence); chunk !== undefined; chunk = chunk.next) {
      const { rows } = chunk
      for (let at = 0; at < rows.count; at++) {
        if (!rows.isLive(at) || rows.changedAt(at) <= sequence || !this.#isWanted(rows, at, which)) continue
        if (this.#moveTo(row, chunk, rows, at)) yield row
      }
    }
  }

  #isWanted(rows: Rows, at: number, which: Which): boolean {
    if (which === 'leftovers') return rows.hasBefore(at, this.since)
    return which === 'any' || !rows.isForgotten(at, this.since)
  }

  /** Rows that were replaced meanwhile tell which keys there were, not what is held under them now. */
  #moveTo(row: LiveRow, chunk: Chunk, rows: Rows, at: number): boolean {
    row.since = this.since
    if (rows === chunk.rows) return row.moveTo(rows, at)
    const number = this.#find(rows.key(at))
    return number >= 0 && row.moveTo(this.#rowsOf(number), this.#placeOf(number))
  }

  /** A chunk at or before the first key that changed after this. */
  #chunkAfter(sequence: number): Chunk {
    let chunk = this.#last
    while (chunk.previous !== undefined && (chunk.live === 0 || chunk.rows.changedAt(0) > sequence))
      chunk = chunk.previous
    return chunk
  }

  /** Gives a key a row at the end; returns its number. */
  #add(words: KeyWords): number {
    if (this.#last.rows.count === this.#chunkRows) this.#extend()
    const hash = this.#hash(words)
    const old = this.#index.find(hash, this.#isRowOf(words))
    const number = this.#last.number * this.#chunkRows + this.#last.rows.add(words)
    this.#last.live += 1
    if (old < 0) {
      this.#index.add(hash, number)
      this.#size += 1
    } else {
      this.#index.replace(hash, old, number)
      this.#vacate(old)
    }
    return number
  }

  #find(words: KeyWords): number {
    return this.#index.find(this.#hash(words), this.#isRowOf(words))
  }

  #isRowOf(words: KeyWords): (number: number) => boolean {
    return number => this.#rowsOf(number).hasKey(this.#placeOf(number), words)
  }

  #chunkOf(number: number): Chunk {
    return this.#chunks[Math.floor(number / this.#chunkRows)] as Chunk
  }

  #rowsOf(number: number): Rows {
    return this.#chunkOf(number).rows
  }

  #placeOf(number: number): number {
    return number % this.#chunkRows
  }

  #imageAt(text: string, number: number): LiveKeyImage {
    const [rows, at] = [this.#rowsOf(number), this.#placeOf(number)]
    return rows.hasMore(at) ? (this.#more.get(text) as LiveKeyImage) : rows.image(at)
  }

  #write(text: string, number: number, live: LiveKey): void {
    const [rows, at] = [this.#rowsOf(number), this.#placeOf(number)]
    rows.write(at, live)
    if (rows.hasMore(at)) this.#more.set(text, live.image)
    else this.#more.delete(text)
  }

  #vacate(number: number): void {
    const chunk = this.#chunkOf(number)
    chunk.rows.remove(this.#placeOf(number))
    chunk.live -= 1
    if (chunk !== this.#last && chunk.live <= chunk.rows.count / 2) this.#copy(chunk)
  }

  /** Copies the live rows of a chunk, together with those of the next if all fit into one. */
  #copy(chunk: Chunk): void {
    const { previous, next } = chunk
    const into =
      chunk.live > 0 && next !== undefined && next !== this.#last && chunk.live + next.live <= this.#chunkRows
        ? next
        : chunk
    const copied = new Rows(into === chunk ? chunk.live : chunk.live + into.live)
    this.#copyRows(chunk, copied, into)
    if (into !== chunk) this.#copyRows(into, copied, into)
    into.rows = copied
    into.live = copied.count
    if (into === chunk && chunk.live > 0) return
    chunk.rows = new Rows(0)
    if (previous !== undefined) previous.next = next
    if (next !== undefined) next.previous = previous
    this.#chunks[chunk.number] = undefined
    this.#freeNumbers.push(chunk.number)
  }

  #copyRows(from: Chunk, copied: Rows, to: Chunk): void {
    const { rows } = from
    for (let at = 0; at < rows.count; at++) {
      if (!rows.isLive(at)) continue
      const number = to.number * this.#chunkRows + copied.addFrom(rows, at)
      this.#index.replace(this.#hash(rows.key(at)), from.number * this.#chunkRows + at, number)
    }
  }

  #extend(): void {
    const full = this.#last
    this.#last = this.#newChunk()
    this.#last.previous = full
    full.next = this.#last
    if (full.live <= full.rows.count / 2) this.#copy(full)
  }

  #newChunk(): Chunk {
    const number = this.#freeNumbers.pop() ?? this.#chunks.length
    const chunk: Chunk = {
      number,
      rows: new Rows(this.#chunkRows),
      live: 0,
      previous: undefined,
      next: undefined,
    }
    this.#chunks[number] = chunk
    return chunk
  }
}
