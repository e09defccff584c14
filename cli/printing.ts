/**
 * What commands print: lines for people, a line of JSON for scripts.
 *
 * @module
 */

/** Prints lines; those that are undefined are left out. */
export function printLines(lines: readonly (string | undefined)[]): void {
  process.stdout.write(lines.flatMap(line => (line === undefined ? [] : [`${line}\n`])).join(''))
}

/** Prints a line of JSON. */
export const printJson = (value: object): void => printLines([JSON.stringify(value)])
