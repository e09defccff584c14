/**
 * Tables as people read them on a terminal.
 *
 * @module
 */
import { printable } from '../runtime/printable.ts'

/**
 * The lines of a table: columns are aligned, two spaces apart. Whatever is not printable in a cell is a question mark,
 * for what others wrote must not steer the terminal.
 */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const table = [head, ...rows].map(row => row.map(printable))
  const widths = head.map((_, column) =>
    table.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  )
  return table.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
