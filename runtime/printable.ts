/**
 * Text of others as it may be shown.
 *
 * @module
 */

/** Nothing in it can steer a terminal or begin a line: whatever is not printable ASCII is a question mark. */
export const printable = (text: string): string => text.replaceAll(/[^\u0020-\u007e]/g, '?')
