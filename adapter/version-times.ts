/**
 * Since when each version has been there, so that an enforcer's lag can be told in seconds. It keeps a bounded number of
 * times, whatever the number of versions; those of long ago lie further apart. No I/O.
 *
 * @module
 */

/** Remembers when versions came. Times are monotonic milliseconds. */
export interface VersionTimes {
  /** Notes that a version has been reached. Versions only grow. */
  reached(version: number, atMs: number): void
  /**
   * When the first version after this one came; undefined if there is none. Never too late; too early by at most a
   * tenth of a second, or by a twentieth of the time that has passed since.
   */
  firstAfter(version: number): number | undefined
  /** Forgets everything: versions count anew. */
  clear(): void
}

/** Versions that came from `sinceMs` until `untilMs`; the last of them is `to`. */
interface Span {
  readonly sinceMs: number
  untilMs: number
  to: number
}

const spanMs = 100
const spansLimit = 1_024
/** No longer than this share of their age: 1,000 such spans reach back a century. */
const ageShare = 1 / 20

/** Creates an empty memory. */
export function createVersionTimes(): VersionTimes {
  let spans: Span[] = []
  return {
    reached(version, atMs) {
      const last = spans.at(-1)
      if (last !== undefined && version <= last.to) return
      if (last !== undefined && atMs - last.sinceMs < spanMs) {
        last.to = version
        last.untilMs = atMs
        return
      }
      if (spans.length >= spansLimit) spans = joinOld(spans, atMs)
      spans.push({ sinceMs: atMs, untilMs: atMs, to: version })
    },
    firstAfter(version) {
      let first: Span | undefined
      for (let index = spans.length - 1; index >= 0; index--) {
        const span = spans[index] as Span
        if (span.to <= version) break
        first = span
      }
      return first?.sinceMs
    },
    clear: () => {
      spans = []
    },
  }
}

function joinOld(spans: readonly Span[], nowMs: number): Span[] {
  const joined: Span[] = []
  for (const { sinceMs, untilMs, to } of spans) {
    const last = joined.at(-1)
    if (last !== undefined && untilMs - last.sinceMs <= (nowMs - untilMs) * ageShare) {
      last.untilMs = untilMs
      last.to = to
    } else joined.push({ sinceMs, untilMs, to })
  }
  return joined
}
