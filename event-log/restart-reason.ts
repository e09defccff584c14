/**
 * Whether a log is still the one that was read.
 *
 * @module
 */
import type { LogCheck } from './event-log.ts'

/** Why a log is read again from its start. */
export type RestartReason =
  /** Another log, or one that lost its tail: an accident. */
  | 'rolled back'
  /** What came next was trimmed while nobody read here. */
  | 'trimmed'

/**
 * Why a log must be read again; undefined if it goes on where it was read to.
 *
 * @param epoch of what was read; undefined if nothing was.
 */
export function restartReasonOf(epoch: string | undefined, check: LogCheck): RestartReason | undefined {
  const isSameEpoch = epoch === undefined || check.epoch === epoch
  if (check.known === 'trimmed' && isSameEpoch) return 'trimmed'
  return check.known === 'confirmed' && isSameEpoch ? undefined : 'rolled back'
}
