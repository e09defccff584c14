/**
 * Events that could not be used, for operators to look at: where each came from and why, never its content.
 *
 * @module
 */
import { createHash } from 'node:crypto'

/** An event that was skipped. */
export interface DeadLetter {
  /** `log`, `event-hub` or `inbox:NAME`. */
  readonly source: string
  /** Where it stood there. */
  readonly position: string
  /** When it was skipped, seconds since 1970. */
  readonly at: number
  readonly problem: string
  /** Size of the content; absent where that is not known. */
  readonly bytes?: number
  /** Of the content, hex: to find it again at its source. */
  readonly sha256?: string
}

/** The last dead letters. */
export interface DeadLetters {
  add(letter: DeadLetter): void
  /** The newest last. */
  list(): readonly DeadLetter[]
  /** How many there were, those that are no longer listed included. */
  readonly total: number
}

/** Most characters of a problem. */
const problemLimit = 500

/** Keeps the last `limit` dead letters of each source, so that garbage from one does not push out those of another. */
export function createDeadLetters(limit: number): DeadLetters {
  const kept = new Map<string, { readonly number: number; readonly letter: DeadLetter }[]>()
  let total = 0
  return {
    add: letter => {
      const letters = kept.get(letter.source) ?? []
      kept.set(letter.source, letters)
      letters.push({ number: ++total, letter: { ...letter, problem: letter.problem.slice(0, problemLimit) } })
      if (letters.length > limit) letters.shift()
    },
    list: () =>
      [...kept.values()]
        .flat()
        .sort((one, other) => one.number - other.number)
        .map(({ letter }) => letter),
    get total() {
      return total
    },
  }
}

/** What a dead letter says of content that it does not keep. */
export const contentFacts = (content: Uint8Array): Pick<DeadLetter, 'bytes' | 'sha256'> => ({
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
})
