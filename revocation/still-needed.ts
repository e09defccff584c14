/**
 * Whether what an event said is still needed: then a log appends it again before it forgets the event.
 *
 * @module
 */
import { matchKeyText } from './key.ts'
import type { LiveState } from './live-state.ts'
import type { LogEvent, Revocation } from './revocation.ts'

/**
 * Whether a state that begins without the event could differ from one that begins with it.
 *
 * @param expiredAt seconds: now minus clock tolerance and greatest clock difference.
 */
export function isStillNeeded(state: LiveState, event: LogEvent, expiredAt: number): boolean {
  if (event.kind === 'revocation') return isRevocationNeeded(state, event, expiredAt)
  if (event.kind === 'restoration') return state.restoredUntil(event.target) > expiredAt
  return event.kind !== 'beat'
}

function isRevocationNeeded(state: LiveState, event: Revocation, expiredAt: number): boolean {
  const times = state.timesOf(event)
  if (times.expiresAt <= expiredAt || state.restoredUntil(event.id) > 0) return false
  const live = state.live(matchKeyText(event.match, event.issuedBefore !== undefined).text)
  if (live === undefined || live.has(event.id)) return live !== undefined
  // Of those that were merged the last to expire makes up the union: a cut that lasts longer is a later one.
  return live.merged?.expiresAt === times.expiresAt
}
