/**
 * Whether an entry of the log is still needed: then it must be appended again before the log forgets it.
 *
 * @module
 */
import type { LiveState } from './live-state.ts'
import type { LogEvent, Revocation } from './revocation.ts'

/**
 * Whether a state that begins after the entry could differ from one that begins with it. An entry of which the log
 * holds a later copy is not needed.
 *
 * @param state at the position or later.
 * @param expiredAt seconds: now minus clock tolerance and greatest clock difference.
 */
export function isStillNeeded(
  state: LiveState,
  position: number,
  event: LogEvent,
  expiredAt: number,
): boolean {
  switch (event.kind) {
    case 'revocation':
      return lastPositionOf(state, event, expiredAt) === position
    case 'restoration': {
      const restored = state.restorations.get(event.target)
      return restored !== undefined && restored.until > expiredAt && restored.position === position
    }
    case 'claim-set':
    case 'token-lifetime':
      return state.declaredAt(event) === position
    case 'beat':
      return false
  }
}

/** Where the log last holds a revocation that is live; of those that were merged only the last to expire counts. */
function lastPositionOf(state: LiveState, event: Revocation, expiredAt: number): number | undefined {
  if (state.timesOf(event).expiresAt <= expiredAt || state.restorations.get(event.id) !== undefined)
    return undefined
  return state.heldAt(event)
}
