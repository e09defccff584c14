/**
 * What of a live state lies in a checkpoint beside its keys.
 *
 * @module
 */
import type { ClaimSet } from './claim-set.ts'
import type { DeclaredLifetimesImage } from './declared-lifetimes.ts'

/** The restoration of a revocation. */
export interface Restored {
  /** How long it is kept, seconds. */
  readonly until: number
  /** Where the log last holds it; -1 while only the revocation was read again. */
  readonly position: number
}

/** What a checkpoint keeps of a state beside its keys. */
export interface StateSummary {
  readonly epoch: string | undefined
  readonly position: number
  readonly digest: bigint
  /** A key's `claimSet` is a place in this list. */
  readonly claimSets: readonly ClaimSet[]
  /** Those of them that the log declares, and where. */
  readonly declared: readonly (readonly [set: ClaimSet, position: number])[]
  /** Those of them that only a former log declared. */
  readonly formerly: readonly ClaimSet[]
  readonly lifetimes: DeclaredLifetimesImage
  /** Ids of revocations that were restored. */
  readonly restored: readonly (readonly [id: string, restored: Restored])[]
}
