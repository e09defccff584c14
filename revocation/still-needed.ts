/**
 * What of an entry of the log is still needed: it must be appended again before the log forgets it.
 *
 * @module
 */
import type { LiveState } from './live-state.ts'
import type { LogEvent, Restoration, Revocation } from './revocation.ts'

/**
 * What must come again for a state that begins after the entry to be the same as one that begins with it: the event, or,
 * of a restoration that counts for longer than it says, one that says so. Nothing if the log holds a later copy.
 *
 * @param state at the position or later.
 * @param expiredAt seconds: now minus clock tolerance and greatest clock difference.
 */
export function stillNeeded(
  state: LiveState,
  position: number,
  event: LogEvent,
  expiredAt: number,
): LogEvent | undefined {
  switch (event.kind) {
    case 'revocation':
      return lastPositionOf(state, event, expiredAt) === position ? event : undefined
    case 'restoration':
      return neededRestoration(state, position, event, expiredAt)
    case 'claim-set':
    case 'token-lifetime':
      return state.declaredAt(event) === position ? event : undefined
    case 'beat':
      return undefined
  }
}

/** What it restored may have been read again, for longer; that is restored, so it will not be kept. */
function neededRestoration(
  state: LiveState,
  position: number,
  event: Restoration,
  expiredAt: number,
): Restoration | undefined {
  const restored = state.restorations.get(event.target)
  if (restored === undefined || restored.until <= expiredAt || restored.position !== position)
    return undefined
  return restored.until > event.expiresAt ? { ...event, expiresAt: restored.until } : event
}

/** Where the log last holds a revocation that is live; of those that were merged only the last to expire counts. */
function lastPositionOf(state: LiveState, event: Revocation, expiredAt: number): number | undefined {
  if (state.timesOf(event).expiresAt <= expiredAt || state.restorations.get(event.id) !== undefined)
    return undefined
  return state.heldAt(event)
}
