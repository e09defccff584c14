/**
 * Splits a long JSON array of objects into its elements while it arrives, so that it never lies in memory as a whole.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'

/** Takes the octets of an array piece by piece. */
export interface ElementSplitter {
  /**
   * The elements that the piece completes; each is balanced, but not yet known to be JSON.
   *
   * @throws RescindError ERR_EVENT_INVALID if this is not an array of objects, or an element is over the limit.
   */
  push(chunk: Uint8Array): Uint8Array[]
  /** @throws RescindError ERR_EVENT_INVALID if the array has not ended. */
  end(): void
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = Buffer.from('"\\[]{}')
const between = new Set(Buffer.from(' \t\r\n,'))

/** Creates a splitter. */
export function createElementSplitter(elementLimitBytes: number): ElementSplitter {
  /** Open brackets and braces; 1 is inside the array, between elements. */
  let depth = 0
  let ended = false
  let inString = false
  let escaped = false
  let pending: Uint8Array[] = []
  let pendingBytes = 0

  const keep = (piece: Uint8Array): void => {
    pendingBytes += piece.length
    if (pendingBytes > elementLimitBytes)
      throw invalid(`an element is larger than ${elementLimitBytes} bytes`)
    pending.push(piece)
  }

  const taken = (): Uint8Array => {
    const element = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return element
  }

  const inText = (octet: number | undefined): void => {
    if (escaped) escaped = false
    else if (octet === backslash) escaped = true
    else if (octet === quote) inString = false
  }

  const outside = (octet: number | undefined): void => {
    if (octet === openBracket && depth === 0 && !ended) depth = 1
    else if (octet === openBrace && depth === 1) depth = 2
    else if (octet === closeBracket && depth === 1) {
      depth = 0
      ended = true
    } else if (!between.has(octet as number)) throw invalid('not an array of objects')
  }

  const inElement = (octet: number | undefined): void => {
    if (octet === quote) inString = true
    else if (octet === openBrace || octet === openBracket) depth++
    else if (octet === closeBrace || octet === closeBracket) depth--
  }

  return {
    push(chunk) {
      const elements: Uint8Array[] = []
      let start = 0
      for (let at = 0; at < chunk.length; at++) {
        const octet = chunk[at]
        if (inString) inText(octet)
        else if (depth < 2) {
          outside(octet)
          start = at
        } else {
          inElement(octet)
          if (depth > 1) continue
          keep(chunk.slice(start, at + 1))
          elements.push(taken())
        }
      }
      if (depth > 1) keep(chunk.slice(start))
      return elements
    },
    end() {
      if (!ended) throw invalid('the array has no end')
    },
  }
}

const invalid = (message: string) => new RescindError('ERR_EVENT_INVALID', message)
