/**
 * Reads protobuf from bytes field by field, without objects for what is passed over.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

const varint = 0
const fixed64 = 1
const lengthDelimited = 2
const fixed32 = 5

/** A place in a message. After {@link WireReader.next} it stands at the value of {@link WireReader.field}. */
export class WireReader {
  readonly bytes: Buffer
  /** Number of the field at which the reader stands. */
  field = 0
  #wireType = 0
  #position: number
  readonly #what: string

  /** @param what the bytes should be, for errors. */
  constructor(bytes: Buffer, start = 0, what = 'CheckRequest') {
    this.bytes = bytes
    this.#what = what
    this.#position = start
  }

  /** Where the reader stands. */
  get position(): number {
    return this.#position
  }

  /**
   * Goes to the next field before `end`.
   *
   * @returns false at the end.
   * @throws RescindError ERR_REQUEST_INVALID if the bytes are not protobuf.
   */
  next(end: number): boolean {
    if (this.#position >= end) return false
    const tag = this.#readVarint(end)
    this.field = Math.floor(tag / 8)
    this.#wireType = tag % 8
    if (this.field === 0) throw this.#malformed()
    return true
  }

  /** Enters a message, string or bytes: gives its end and stands at its start. */
  enter(end: number): number {
    if (this.#wireType !== lengthDelimited) throw this.#malformed()
    const length = this.#readVarint(end)
    const valueEnd = this.#position + length
    if (valueEnd > end) throw this.#malformed()
    return valueEnd
  }

  /** Stands at a place again, for instance after the value that was entered. */
  moveTo(position: number): void {
    this.#position = position
  }

  /** Passes over the value. */
  skip(end: number): void {
    if (this.#wireType === lengthDelimited) this.#position = this.enter(end)
    else if (this.#wireType === varint) this.#readVarint(end)
    else if (this.#wireType === fixed64) this.#position += 8
    else if (this.#wireType === fixed32) this.#position += 4
    else throw this.#malformed()
    if (this.#position > end) throw this.#malformed()
  }

  #readVarint(end: number): number {
    let value = 0
    let factor = 1
    for (let read = 0; read < 10; read++) {
      if (this.#position >= end) throw this.#malformed()
      const byte = this.bytes[this.#position++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw this.#malformed()
  }

  #malformed(): RescindError {
    return new RescindError('ERR_REQUEST_INVALID', `the ${this.#what} is not valid protobuf`)
  }
}
