/**
 * Entries of the stream that others added are told of once each.
 *
 * @module
 */
import type { ForeignItem } from './stream-item.ts'

/** Ids that are remembered; what was forgotten is told of again when it is read again. */
const rememberedLimit = 10_000

/** A listener for entries that are read, maybe repeatedly, which calls `tell` once for each. */
export function tellOnce(tell: (where: string, problem: string) => void): (item: ForeignItem) => void {
  const told = new Set<string>()
  return ({ id, problem }) => {
    if (told.has(id)) return
    for (const oldest of told) {
      if (told.size < rememberedLimit) break
      told.delete(oldest)
    }
    told.add(id)
    tell(id, problem)
  }
}
