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

/** Most sets that are told apart, those that nobody declared included. */
const setsLimit = 256

/** Claim sets, numbered, with the count of their live keys. */
export class ClaimSets {
  readonly #sets: ClaimSet[] = [...builtInClaimSets]
  readonly #numbers = new Map<string, number>(
    builtInClaimSets.map((set, number) => [claimSetId(set), number]),
  )
  /** Built-in sets are told by the object alone. */
  readonly #builtIn = new Map<ClaimSet, number>(builtInClaimSets.map((set, number) => [set, number]))
  readonly #live: number[] = builtInClaimSets.map(() => 0)
  /** Ids of those that this log declares, and where it last does. */
  readonly #declared = new Map<string, number>()
  /** Ids of those that the log declared before it lost its tail: what was enforced stays so. */
  readonly #formerly = new Set<string>()
  #inUse: ClaimSetsInUse | undefined

  /** All sets; a set's number is its place. */
  get all(): readonly ClaimSet[] {
    return this.#sets
  }

  /** The sets that the log declares, and where it last does. */
  get declared(): readonly (readonly [set: ClaimSet, position: number])[] {
    return this.#sets.flatMap(set => {
      const position = this.#declared.get(claimSetId(set))
      return position === undefined ? [] : [[set, position] as const]
    })
  }

  /** The sets that only a former log declared. */
  get formerly(): readonly ClaimSet[] {
    return this.#sets.filter(set => this.#formerly.has(claimSetId(set)))
  }

  /** Where the log last declares a set; undefined if it does not. */
  declaredAt(set: ClaimSet): number | undefined {
    return this.#declared.get(claimSetId(set))
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
  declare(set: ClaimSet, position: number): boolean {
    const id = claimSetId(set)
    if (this.#builtIn.has(set)) return true
    if (!this.#declared.has(id) && this.#declared.size >= declaredClaimSetsLimit) return false
    this.#declared.set(id, position)
    this.#formerly.delete(id)
    this.numberOf(set)
    this.#inUse = undefined
    return true
  }

  /** Takes over from a checkpoint what a former log declared. */
  declareFormerly(set: ClaimSet): void {
    this.#formerly.add(claimSetId(set))
    this.numberOf(set)
  }

  /**
   * The number of a set, also of one that is not declared (any more, or yet: trimming may bring a declaration behind
   * what needs it). Undefined when too many such sets were met.
   */
  numberOf(set: ClaimSet): number | undefined {
    const known = this.#numbers.get(claimSetId(set))
    if (known !== undefined) return known
    if (this.#sets.length >= setsLimit) return undefined
    this.#numbers.set(claimSetId(set), this.#sets.length)
    this.#live.push(0)
    return this.#sets.push(set) - 1
  }

  /** The log begins anew: what it declares will be read again. */
  forgetDeclarations(): void {
    for (const id of this.#declared.keys()) this.#formerly.add(id)
    this.#declared.clear()
  }

  /** Counts live keys of a set: 1 for a new one, -1 for one that is gone. */
  count(number: number, change: 1 | -1): void {
    const before = this.#live[number] as number
    this.#live[number] = before + change
    if (before === 0 || before + change === 0) this.#inUse = undefined
  }

  /** The sets with live keys, unless nobody ever declared them. */
  get inUse(): ClaimSetsInUse {
    if (this.#inUse === undefined) {
      const sets = this.#sets.filter(
        (set, number) => (this.#live[number] as number) > 0 && this.#isUsable(set),
      )
      this.#inUse = { sets, generation: claimSetGeneration(sets) }
    }
    return this.#inUse
  }

  #isUsable(set: ClaimSet): boolean {
    return this.admitted(set) !== undefined || this.#formerly.has(claimSetId(set))
  }
}
