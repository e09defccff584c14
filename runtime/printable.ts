/**
 * Text of others as it may be shown.
 *
 * @module
 */

/** Nothing in it can steer a terminal or begin a line: whatever is not printable ASCII is a question mark. */
export const printable = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, '?')

/** The same, but two texts that differ still do: whatever is not printable ASCII is percent-encoded. */
export const percentEncoded = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/gu, character => encodeURIComponent(character.toWellFormed()))
