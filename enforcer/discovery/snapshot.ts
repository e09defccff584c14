/**
 * What an enforcer holds: the table and what it needs to use it. No I/O.
 *
 * @module
 */
import { type ClaimSet, claimSetId } from '../../revocation/claim-set.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import type { EntryVisitor } from '../../revocation/segment.ts'
import { RevocationTable } from '../../revocation/table.ts'
import type { TokenLifetimes } from '../../revocation/token-lifetimes.ts'

/** The state of the log that an enforcer has; replaced or changed only between two checks. */
export interface Snapshot {
  table: RevocationTable
  /**
   * What was enforced when a log had lost its tail, or is left over of such a log: other adapters may know less of it, so
   * until it expires a key is never weaker than this.
   */
  kept: RevocationTable
  /** -1 until a complete state was received. */
  version: number
  epoch: string
  /** Digest of the log at `version`, 16 hex digits. */
  digest: string
  /**
   * Claim sets with live entries: a token's keys are derived for these. Another array means that they changed, and
   * that keys which were derived before must be derived again.
   */
  claimSets: readonly ClaimSet[]
  /** The adapter's number for the claim sets that it sent. */
  generation: number
  /** Clock tolerance for exp, seconds; entries live that much longer. */
  toleranceSeconds: number
  /** Longest exp - iat that may be accepted. */
  lifetimes: TokenLifetimes
  /** Called with the words of a key before its entry may get weaker. */
  onWeaken?: ((k0: number, k1: number, k2: number, k3: number) => void) | undefined
}

/** A clock that is ahead for a moment must not make the table forget for good. */
const forgetGraceSeconds = 300

/** What expired at or before this may be forgotten, seconds. */
export const forgottenAt = (nowSeconds: number, toleranceSeconds: number): number =>
  Math.floor(nowSeconds) - toleranceSeconds - forgetGraceSeconds

/** Removes what expired from the next part of the table in turn. */
export function pruneSnapshot({ table, kept, toleranceSeconds }: Snapshot, nowSeconds: number): void {
  const expiredAt = forgottenAt(nowSeconds, toleranceSeconds)
  table.pruneStep(expiredAt)
  kept.pruneStep(expiredAt)
}

/** Nothing yet. */
export const createSnapshot = (): Snapshot => ({
  table: new RevocationTable(),
  kept: new RevocationTable(),
  version: -1,
  epoch: '',
  digest: '',
  claimSets: [],
  generation: claimSetGeneration([]),
  toleranceSeconds: 0,
  lifetimes: { seconds: 0, earlier: [] },
})

/** The claim sets of both lists, each once. */
export const unionOfClaimSets = (a: readonly ClaimSet[], b: readonly ClaimSet[]): readonly ClaimSet[] => [
  ...new Map([...a, ...b].map(set => [claimSetId(set), set])).values(),
]

/** Whether two lists, each without repetitions, hold the same sets. */
export const areSameClaimSets = (a: readonly ClaimSet[], b: readonly ClaimSet[]): boolean =>
  a === b || (a.length === b.length && unionOfClaimSets(a, b).length === a.length)

/** Stores the new state of a key, or what is kept of it, whatever rejects more. */
export function storeEntry(
  { table, kept, onWeaken }: Pick<Snapshot, 'table' | 'kept' | 'onWeaken'>,
  words: Parameters<EntryVisitor>,
): void {
  const [k0, k1, k2, k3] = words
  onWeaken?.(k0, k1, k2, k3)
  table.set(...words)
  const least = kept.size > 0 ? kept.times(k0, k1, k2, k3) : undefined
  if (least !== undefined) table.raise(k0, k1, k2, k3, least.expiresAt, least.issuedBefore)
}
