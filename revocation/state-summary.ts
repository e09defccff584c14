/**
 * What of a live state lies in a checkpoint beside its keys.
 *
 * @module
 */
import type { ClaimSet } from './claim-set.ts'
import type { TokenLifetimes } from './token-lifetimes.ts'

/** What a checkpoint keeps of a state beside its keys. */
export interface StateSummary {
  readonly epoch: string | undefined
  readonly position: number
  readonly digest: bigint
  /** A key's `claimSet` is a place in this list. */
  readonly claimSets: readonly ClaimSet[]
  /** Those of them that the log declares. */
  readonly declared: readonly ClaimSet[]
  readonly lifetimes: TokenLifetimes | undefined
  readonly hasLifetime: boolean
  /** Ids of revocations that were restored, and until when that is kept, seconds. */
  readonly restored: readonly (readonly [id: string, until: number])[]
}
