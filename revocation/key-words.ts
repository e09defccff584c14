/**
 * A key as four 32-bit numbers, big-endian, and as text, see `keyText`.
 *
 * @module
 */

/** The four words of a key. */
export type KeyWords = readonly [k0: number, k1: number, k2: number, k3: number]

/** The words of a key's text. */
export const wordsOf = (text: string): KeyWords => [
  wordAt(text, 0),
  wordAt(text, 4),
  wordAt(text, 8),
  wordAt(text, 12),
]

/** The text of a key's words. */
export const textOf = (words: KeyWords): string => words.map(charactersOf).join('')

const wordAt = (text: string, at: number): number =>
  ((text.charCodeAt(at) << 24) |
    (text.charCodeAt(at + 1) << 16) |
    (text.charCodeAt(at + 2) << 8) |
    text.charCodeAt(at + 3)) >>>
  0

const charactersOf = (word: number): string =>
  String.fromCharCode(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff)
