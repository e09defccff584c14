/**
 * The digests of the last positions, by which an adapter tells whether a resume comes from the log that it knows.
 *
 * @module
 */

/** How a position and digest that somebody names relate to this history. */
export type Confirmation = 'confirmed' | 'trimmed' | 'different' | 'ahead'

/** Positions that are kept. */
export const historyLimit = 1_000_000

/** A ring of positions, which only grow, and their digests. */
export class DigestHistory {
  readonly #limit: number
  #positions: Float64Array
  #digests: BigUint64Array
  #first = 0
  #count = 0

  constructor(limit: number = historyLimit) {
    this.#limit = limit
    const size = Math.min(limit, 1024)
    this.#positions = new Float64Array(size)
    this.#digests = new BigUint64Array(size)
  }

  /** Adds the next position. */
  push(position: number, digest: bigint): void {
    if (this.#count === this.#positions.length && this.#count < this.#limit) this.#grow()
    const place = (this.#first + this.#count) % this.#positions.length
    this.#positions[place] = position
    this.#digests[place] = digest
    if (this.#count < this.#positions.length) this.#count++
    else this.#first = (this.#first + 1) % this.#positions.length
  }

  /**
   * Compares a position that somebody else knows with this history: `trimmed` if it is older than what is kept,
   * `ahead` if it is newer, `different` if it has another digest here or does not exist.
   */
  confirm(position: number, digest: bigint): Confirmation {
    if (this.#count === 0) return 'ahead'
    if (position < this.#positionAt(0)) return 'trimmed'
    if (position > this.#positionAt(this.#count - 1)) return 'ahead'
    const index = this.#search(position)
    if (this.#positionAt(index) !== position) return 'different'
    return this.#digests[(this.#first + index) % this.#digests.length] === digest ? 'confirmed' : 'different'
  }

  /** The position before another one, and its digest; undefined if it is not kept, or the other one does not exist. */
  before(position: number): { readonly position: number; readonly digest: bigint } | undefined {
    if (this.#count === 0) return undefined
    const index = this.#search(position)
    if (index === 0 || this.#positionAt(index) !== position) return undefined
    const digest = this.#digests[(this.#first + index - 1) % this.#digests.length] as bigint
    return { position: this.#positionAt(index - 1), digest }
  }

  /** The digest of a position that is kept; undefined for any other. */
  digestAt(position: number): bigint | undefined {
    if (this.#count === 0) return undefined
    const index = this.#search(position)
    if (this.#positionAt(index) !== position) return undefined
    return this.#digests[(this.#first + index) % this.#digests.length]
  }

  #positionAt(index: number): number {
    return this.#positions[(this.#first + index) % this.#positions.length] as number
  }

  #search(position: number): number {
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#positionAt(middle) < position) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(): void {
    const size = Math.min(this.#limit, this.#positions.length * 2)
    const positions = new Float64Array(size)
    const digests = new BigUint64Array(size)
    positions.set(this.#positions)
    digests.set(this.#digests)
    this.#positions = positions
    this.#digests = digests
  }
}
