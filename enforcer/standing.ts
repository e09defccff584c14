/**
 * Whether the enforcer can decide checks: not ready and stale are two things, each with its own policy.
 *
 * @module
 */
import type { Standing } from './check/check.ts'

/** What is done while the enforcer is not ready: UNAVAILABLE, or let requests pass. */
export type NotReadyPolicy = 'fail-closed' | 'fail-open'

/** What is done while the snapshot is stale: decide by it, or UNAVAILABLE. */
export type StalePolicy = 'last-known' | 'fail-closed'

/** What the standing follows from. */
export interface StandingInput {
  /** Why there is no complete snapshot or no key; empty if ready. */
  readonly notReadyReasons: readonly string[]
  readonly stalenessMs: number
  readonly maxStalenessMs: number
  readonly whenNotReady: NotReadyPolicy
  readonly whenStale: StalePolicy
}

/** Everything is as it should be. */
export const deciding: Standing = { mode: 'decide', reason: 'ready' }

/** The standing that follows. */
export function standingOf(input: StandingInput): Standing {
  if (input.notReadyReasons.length > 0) {
    return { mode: input.whenNotReady === 'fail-open' ? 'allow' : 'undecided', reason: 'not_ready' }
  }
  if (input.stalenessMs > input.maxStalenessMs && input.whenStale === 'fail-closed') {
    return { mode: 'undecided', reason: 'stale' }
  }
  return deciding
}
