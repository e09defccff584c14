/**
 * The claim sets of a log: built in and declared, and how many live keys each has. Enforcers are told only of those
 * with live keys.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { builtInClaimSets, type ClaimSet, claimSetId, declaredClaimSetsLimit } from './claim-set.ts'

/** The sets in use, and a number that is the same for the same sets, at every adapter. */
export interface ClaimSetsInUse {
  readonly sets: readonly ClaimSet[]
  /** 48 bits derived from the sets. */
  readonly generation: number
}

/** The generation of sets; order does not matter. */
export function claimSetGeneration(sets: readonly ClaimSet[]): number {
  const ids = sets.map(claimSetId).sort()
  return createHash('sha256').update(JSON.stringify(ids)).digest().readUIntBE(0, 6)
}

/** Claim sets, numbered, with the count of their live keys. */
export class ClaimSets {
  readonly #sets: ClaimSet[] = [...builtInClaimSets]
  readonly #numbers = new Map<string, number>(
    builtInClaimSets.map((set, number) => [claimSetId(set), number]),
  )
  /** Built-in sets are told by the object alone. */
  readonly #builtIn = new Map<ClaimSet, number>(builtInClaimSets.map((set, number) => [set, number]))
  readonly #live: number[] = builtInClaimSets.map(() => 0)
  /** Ids of those that this log declares; others may stay from a log that lost its tail. */
  readonly #declared = new Set<string>()
  #inUse: ClaimSetsInUse | undefined

  /** All sets; a set's number is its place. */
  get all(): readonly ClaimSet[] {
    return this.#sets
  }

  /** The sets that the log declares. */
  get declared(): readonly ClaimSet[] {
    return this.#sets.filter(set => this.#declared.has(claimSetId(set)))
  }

  /** The number of a set that is built in or declared. */
  admitted(set: ClaimSet): number | undefined {
    const builtIn = this.#builtIn.get(set)
    if (builtIn !== undefined) return builtIn
    const id = claimSetId(set)
    const number = this.#numbers.get(id)
    return number !== undefined && (number < builtInClaimSets.length || this.#declared.has(id))
      ? number
      : undefined
  }

  /** @returns false when 16 sets are declared already. */
  declare(set: ClaimSet): boolean {
    if (this.admitted(set) !== undefined) return true
    if (this.#declared.size >= declaredClaimSetsLimit) return false
    this.#declared.add(claimSetId(set))
    this.numberOf(set)
    return true
  }

  /** The number of a set, also of one that is not (any more) admitted. */
  numberOf(set: ClaimSet): number {
    const known = this.#numbers.get(claimSetId(set))
    if (known !== undefined) return known
    this.#numbers.set(claimSetId(set), this.#sets.length)
    this.#live.push(0)
    return this.#sets.push(set) - 1
  }

  /** The log begins anew: what it declares will be read again. */
  forgetDeclarations(): void {
    this.#declared.clear()
  }

  /** Counts live keys of a set: 1 for a new one, -1 for one that is gone. */
  count(number: number, change: 1 | -1): void {
    const before = this.#live[number] as number
    this.#live[number] = before + change
    if (before === 0 || before + change === 0) this.#inUse = undefined
  }

  /** The sets with live keys. */
  get inUse(): ClaimSetsInUse {
    if (this.#inUse === undefined) {
      const sets = this.#sets.filter((_, number) => (this.#live[number] as number) > 0)
      this.#inUse = { sets, generation: claimSetGeneration(sets) }
    }
    return this.#inUse
  }
}
