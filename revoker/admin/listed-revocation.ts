/**
 * A revocation of the log, and what has become of it. Pure.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { keyText, matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import { nameAt } from '../../revocation/revocation-name.ts'

/** What has become of a revocation. */
export type RevocationFate = 'live' | 'merged' | 'restored' | 'expired'

/** A revocation as a list shows it; times in seconds. */
export interface ListedRevocation extends Omit<Revocation, 'kind' | 'expiresAt'> {
  /** See `revocationName`. */
  readonly id: string
  readonly state: RevocationFate
  /** Hex. */
  readonly key: string
  readonly expiresAt: number
  /** Position in the log. */
  readonly version: number
}

/**
 * What a list shows of an entry of the log; undefined if the log holds it a second time, further on (trimming copies what
 * is live), or if it has no effect.
 */
export function listedRevocation(
  state: LiveState,
  revocation: Revocation,
  position: number,
  liveAfter: number,
): ListedRevocation | undefined {
  const { kind: _, ...shown } = revocation
  const place = placeIn(state, revocation)
  if (place === undefined) return undefined
  const single = state.live(keyText(place.key))?.find(revocation.id)
  const isElsewhere = single !== undefined && state.heldAt(revocation) !== position
  if (isElsewhere) return undefined
  const { expiresAt } = single?.times ?? state.timesOf(revocation)
  const key = place.key.toString('hex')
  return {
    ...shown,
    id: nameAt({ id: revocation.id, key }),
    key,
    expiresAt,
    version: position,
    state: fateOf(state, revocation.id, single !== undefined, expiresAt > liveAfter),
  }
}

function fateOf(state: LiveState, id: string, isHeld: boolean, isInTime: boolean): RevocationFate {
  if (isHeld) return isInTime ? 'live' : 'expired'
  if (state.restorations.get(id) !== undefined) return 'restored'
  return isInTime ? 'merged' : 'expired'
}

/** Its key, if its claim set is admitted. */
function placeIn(
  state: LiveState,
  { match, issuedBefore }: Revocation,
): { readonly key: Buffer } | undefined {
  try {
    const { set, key } = matchKey(match, issuedBefore !== undefined)
    return state.admits(set) ? { key } : undefined
  } catch (error) {
    if (error instanceof RescindError) return undefined
    throw error
  }
}
