/**
 * What of a live state lies in a checkpoint beside its keys.
 *
 * @module
 */
import type { ClaimSet } from './claim-set.ts'
import type { DeclaredLifetimesImage } from './declared-lifetimes.ts'
import type { PackedKey } from './live-rows.ts'

/** The restoration of a revocation. */
export interface Restored {
  /** How long it is kept, seconds. */
  readonly until: number
  /** Where the log last holds it; -1 while only the revocation was read again. */
  readonly position: number
}

/** What a checkpoint keeps of a state beside its {@link StateParts}. */
export interface StateSummary {
  readonly epoch: string | undefined
  readonly position: number
  readonly digest: bigint
  /** Sequence number at which the log begins; see `LiveKey`. */
  readonly since: number
  /** A key's `claimSet` is a place in this list. */
  readonly claimSets: readonly ClaimSet[]
  /** Those of them that the log declares, and where. */
  readonly declared: readonly (readonly [set: ClaimSet, position: number])[]
  /** Those of them that only a former log declared. */
  readonly formerly: readonly ClaimSet[]
  readonly lifetimes: DeclaredLifetimesImage
}

/** The many parts of a state, one after the other. */
export interface StateParts {
  /** In the order of their `changedAt`. */
  readonly keys: Iterable<PackedKey>
  readonly restored: Iterable<readonly [id: string, restored: Restored]>
  /** The last positions that were read, oldest first. */
  readonly history: Iterable<readonly [position: number, digest: bigint]>
}
