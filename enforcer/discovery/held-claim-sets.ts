/**
 * The claim sets that an enforcer needs: those that its adapter named last, and those of entries that stay whatever the
 * adapter names: leftovers, and what was taken over through a full state that did not mention it. No I/O.
 *
 * @module
 */
import type { RevocationBatchMessage } from '../../proto/wire.ts'
import { type ClaimSet, createClaimSet } from '../../revocation/claim-set.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { invalidBatch } from './received-batch.ts'
import { forgottenAt, unionOfClaimSets } from './snapshot.ts'

/** The sets that are held. */
export class HeldClaimSets {
  /** Those that were named last. */
  received: readonly ClaimSet[] = []
  /** Those of entries that stay. */
  kept: readonly ClaimSet[] = []
  /** When the last of these entries expires, seconds. */
  keptUntil = 0

  /**
   * The sets that a batch names; they are sent only when they change.
   *
   * @param generation of the sets that were named last.
   * @throws RescindError ERR_BATCH_INVALID if it does not say which.
   */
  namedBy(batch: RevocationBatchMessage, generation: number): readonly ClaimSet[] {
    if (batch.claimSetGeneration === generation) return this.received
    const sets = batch.claimSets.map(set => createClaimSet(set.names, set.cut))
    if (claimSetGeneration(sets) !== batch.claimSetGeneration)
      throw invalidBatch('its claim sets are not known')
    return sets
  }

  /** All that are needed beside sets that were named. */
  with(named: readonly ClaimSet[], toleranceSeconds: number, nowSeconds: number): readonly ClaimSet[] {
    const isNeeded = this.keptUntil > forgottenAt(nowSeconds, toleranceSeconds)
    return isNeeded ? unionOfClaimSets(named, this.kept) : named
  }

  /** Entries for which these sets are in use are held whatever an adapter names. */
  keep(sets: readonly ClaimSet[], until: number): void {
    this.kept = sets
    this.keptUntil = Math.max(until, this.keptUntil)
  }
}
