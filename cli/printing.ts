/**
 * What commands print: lines for people, a line of JSON for scripts.
 *
 * @module
 */

/** Prints lines; those that are undefined are left out. */
export function printLines(lines: readonly (string | undefined)[]): void {
  process.stdout.write(lines.flatMap(line => (line === undefined ? [] : [`${line}\n`])).join(''))
}

/** What could steer a terminal, or turn text around, and JSON lets through. */
const steering = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Prints a line of JSON. */
export const printJson = (value: object): void =>
  printLines([
    JSON.stringify(value).replaceAll(
      steering,
      character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  ])
