/**
 * "Did you mean": the known name that a misspelt one is closest to.
 *
 * @module
 */

/**
 * The candidate that differs from `name` only in case, dashes and underscores, or by the fewest edits (at most
 * a third of its length); undefined when none is close.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name)
  if (wanted.length > 100) return undefined
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = editDistance(wanted, plain(candidate))
    const editsLimit = Math.floor(Math.max(wanted.length, 3) / 3)
    if (edits <= editsLimit && (best === undefined || edits < best.edits)) best = { candidate, edits }
  }
  return best?.candidate
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}

/** Levenshtein distance: insertions, deletions and replacements that turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replace = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
