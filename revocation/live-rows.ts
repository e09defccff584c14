/**
 * An ordered map of keys for millions of them: rows in typed arrays, in the order in which they were appended, and an
 * index by key. The rows lie in chunks; what was removed leaves holes, and a chunk that is half empty is copied.
 *
 * @module
 */
import { createKeyHash, KeyIndex, type KeyWords } from './key-index.ts'
import { type LiveEntry, LiveKey, type LiveKeyImage } from './live-key.ts'
import { Rows } from './rows.ts'

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

/** Live keys by their text, see `keyText`. What is read of them is a copy: changes must be written back. */
export class LiveRows {
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
    return number < 0 ? undefined : this.#liveAt(text, number)
  }

  /** Puts a key at the end; `live.changedAt` must not be less than that of any other. */
  append(text: string, live: LiveKey): void {
    if (this.#last.rows.count === this.#chunkRows) this.#extend()
    const words = wordsOf(text)
    const hash = this.#hash(words)
    const old = this.#find(words)
    const number = this.#last.number * this.#chunkRows + this.#last.rows.add(words)
    this.#last.live += 1
    if (old < 0) {
      this.#index.add(hash, number)
      this.#size += 1
    } else {
      this.#index.replace(hash, old, number)
      this.#vacate(old)
    }
    this.#write(text, number, live)
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

  /**
   * Keys whose `changedAt` is greater, in their order. They may be changed meanwhile: what is appended then comes at the
   * end. A key may come twice.
   *
   * @param leftoversOnly only those with leftovers.
   */
  *after(position: number, leftoversOnly = false): Generator<readonly [text: string, live: LiveEntry]> {
    for (let chunk: Chunk | undefined = this.#chunkAfter(position); chunk !== undefined; chunk = chunk.next) {
      const { rows } = chunk
      for (let at = 0; at < rows.count; at++) {
        if (!rows.isAfter(at, position) || (leftoversOnly && !rows.hasLeftovers(at))) continue
        const text = textOf(rows.key(at))
        // Rows that were replaced meanwhile tell which keys there were, not what is held under them now.
        const live = rows === chunk.rows && !rows.hasMore(at) ? rows.entry(at) : this.get(text)
        if (live !== undefined) yield [text, live]
      }
    }
  }

  /** A chunk at or before the first key that changed after a position. */
  #chunkAfter(position: number): Chunk {
    let chunk = this.#last
    while (chunk.previous !== undefined && (chunk.live === 0 || chunk.rows.changedAt(0) > position))
      chunk = chunk.previous
    return chunk
  }

  #find(words: KeyWords): number {
    return this.#index.find(this.#hash(words), number =>
      this.#chunkOf(number).rows.hasKey(this.#placeOf(number), words),
    )
  }

  #chunkOf(number: number): Chunk {
    return this.#chunks[Math.floor(number / this.#chunkRows)] as Chunk
  }

  #placeOf(number: number): number {
    return number % this.#chunkRows
  }

  #liveAt(text: string, number: number): LiveKey {
    const { rows } = this.#chunkOf(number)
    const at = this.#placeOf(number)
    return LiveKey.from(rows.hasMore(at) ? (this.#more.get(text) as LiveKeyImage) : rows.image(at))
  }

  #write(text: string, number: number, live: LiveKey): void {
    const { rows } = this.#chunkOf(number)
    const at = this.#placeOf(number)
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

const wordAt = (text: string, at: number): number =>
  ((text.charCodeAt(at) << 24) |
    (text.charCodeAt(at + 1) << 16) |
    (text.charCodeAt(at + 2) << 8) |
    text.charCodeAt(at + 3)) >>>
  0

const wordsOf = (text: string): KeyWords => [
  wordAt(text, 0),
  wordAt(text, 4),
  wordAt(text, 8),
  wordAt(text, 12),
]

const textOf = (words: KeyWords): string => words.map(charactersOf).join('')

const charactersOf = (word: number): string =>
  String.fromCharCode(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff)
