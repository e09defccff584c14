/**
 * Declares claim sets in the log: the one place where declarations of them are appended.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { type ClaimSet, createClaimSet, declaredClaimSetsLimit } from '../revocation/claim-set.ts'
import { RescindError } from '../revocation/error.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { confirmRead, type FollowedLog, readToEnd } from './log-end.ts'

/** What became of a declaration. */
export interface DeclaredClaimSet {
  readonly set: ClaimSet
  /** The version from which on revocations of the set are taken. */
  readonly position: number
  /** The set was admitted before; nothing was appended. */
  readonly already: boolean
}

/** What declarations are made with. */
export interface ClaimSetDeclarerOptions extends FollowedLog {
  readonly codec: EventCodec
}

/**
 * Declares a claim set.
 *
 * @throws RescindError ERR_REVOCATION_INVALID for names that are not allowed; ERR_CLAIM_SETS_LIMIT when 16 are declared
 *   already; or what the log throws.
 */
export async function declareClaimSet(
  names: readonly string[],
  cut: boolean,
  options: ClaimSetDeclarerOptions,
): Promise<DeclaredClaimSet> {
  const { log, follower, codec } = options
  const { state } = follower
  const set = createClaimSet(names, cut)
  if (state.admits(set)) return { set, position: await confirmRead(options), already: true }
  // What others declared counts against the limit.
  await readToEnd(options)
  if (!state.admits(set) && state.summary.declared.length >= declaredClaimSetsLimit) throw limitReached()
  const event = codec.encode({ kind: 'claim-set', names: set.names, cut }, randomBytes(16).toString('hex'))
  const position = await log.append(event)
  // Of two that are declared at once the first in the log counts.
  await readToEnd(options)
  if (!state.admits(set)) throw limitReached()
  return { set, position, already: false }
}

const limitReached = () =>
  new RescindError(
    'ERR_CLAIM_SETS_LIMIT',
    `${declaredClaimSetsLimit} claim sets are declared in this log, which is the limit; a declaration stays`,
  )
