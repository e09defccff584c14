/**
 * Counts what was reported and not taken.
 *
 * @module
 */
import { Counter, type Registry } from 'prom-client'
import type { StoreRefusal } from './grant-store.ts'

/** Why a report was refused: nobody proved to be a feeder, its issuer, what it says, or what the store holds. */
export type RefusalReason = 'unauthenticated' | 'issuer' | 'contradiction' | StoreRefusal

/** Adds the counter `rescind_revoker_grants_refused_total` and returns what counts. */
export function countRefusals(registry: Registry): (reason: RefusalReason) => void {
  const refused = new Counter({
    name: 'rescind_revoker_grants_refused_total',
    help: 'Reports of issued tokens that were refused, by why.',
    labelNames: ['reason'],
    registers: [registry],
  })
  return reason => refused.inc({ reason })
}
