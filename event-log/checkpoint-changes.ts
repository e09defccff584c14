/**
 * What changed in a state since its checkpoint was last written. No I/O.
 *
 * @module
 */
import type { Applied } from '../revocation/apply-entry.ts'
import { historyLimit } from '../revocation/digest-history.ts'
import type { LiveKeyImage } from '../revocation/live-key.ts'
import type { LiveState } from '../revocation/live-state.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { Restored } from '../revocation/state-summary.ts'
import { type Group, packGroup } from './checkpoint-group.ts'
import type { LogPosition } from './event-log.ts'

/** What people want to know of a revocation; never needed to decide. */
export type RevocationText = Pick<
  Revocation,
  'id' | 'match' | 'tokenType' | 'reason' | 'actor' | 'revokedAt' | 'issuedBefore' | 'expiresAt'
>

/** What changed, with the state as it was when it was taken. */
export interface TakenChanges {
  readonly group: Group | undefined
  readonly restorations: readonly (readonly [id: string, restored: Restored | undefined])[]
  readonly texts: ReadonlyMap<number, RevocationText>
  readonly forgottenTexts: ReadonlySet<number>
  readonly history: readonly LogPosition[]
  /** The log began anew: positions and restorations that were written before are of no use. */
  readonly isRestarted: boolean
  /** Seconds: groups in which nothing was needed any more at this time may go. */
  readonly prunedAt: number
}

/** Changes that wait to be written. Keys are 16 bytes as text, see `keyText`; for sequence numbers see `LiveKey`. */
export class CheckpointChanges {
  /** Keys that changed, or were forgotten. */
  readonly keys = new Set<string>()
  /** Texts by the sequence number of their revocation. */
  readonly texts = new Map<number, RevocationText>()
  /** Sequence numbers whose texts go. */
  readonly forgottenTexts = new Set<number>()
  /** Ids of revocations that were restored, or whose restoration is forgotten. */
  readonly restored = new Set<string>()
  /** Positions that were read, in order. */
  history: LogPosition[] = []
  /** The log began anew: positions and restorations that were written before are of no use. */
  isRestarted = false
  /** Revocations that are held and whose texts have not come yet. */
  readonly #awaited = new Set<number>()

  /** How much there is to write. */
  get size(): number {
    return this.keys.size + this.history.length
  }

  /** A key was altered, created or forgotten. */
  touch(key: string, before: LiveKeyImage | undefined, after: LiveKeyImage | undefined): void {
    this.keys.add(key)
    const [old, held] = [sequencesOf(before), sequencesOf(after)]
    for (const sequence of old) if (!held.includes(sequence)) this.#forgetText(sequence)
    for (const sequence of held) if (!old.includes(sequence)) this.#awaited.add(sequence)
  }

  /** An entry was applied, or passed. */
  note({ position, digest }: LogPosition, sequence: number, { event }: Applied): void {
    this.history.push({ position, digest })
    if (event?.kind !== 'revocation' || !this.#awaited.delete(sequence)) return
    const { kind: _, ...text } = event
    this.texts.set(sequence, text)
  }

  /** What is to be written of them. */
  take(state: LiveState): TakenChanges {
    const keys = Array.from(this.keys, key => state.kept(key)).filter(kept => kept !== undefined)
    return {
      group: keys.length === 0 ? undefined : packGroup(keys),
      restorations: Array.from(this.restored, id => [id, state.restorations.get(id)] as const),
      texts: this.texts,
      forgottenTexts: this.forgottenTexts,
      history: this.history,
      isRestarted: this.isRestarted,
      prunedAt: state.prunedAt,
    }
  }

  /** The log begins anew. */
  restart(): void {
    this.history = []
    this.restored.clear()
    this.isRestarted = true
  }

  /** Puts back what could not be written: what was noted since then is newer. */
  putBack(older: CheckpointChanges): void {
    for (const key of older.keys) this.keys.add(key)
    for (const [sequence, text] of older.texts)
      if (!this.forgottenTexts.has(sequence)) this.texts.set(sequence, text)
    for (const sequence of older.forgottenTexts) this.forgottenTexts.add(sequence)
    if (!this.isRestarted) {
      for (const id of older.restored) this.restored.add(id)
      this.history = [...older.history, ...this.history].slice(-historyLimit)
    }
    this.isRestarted ||= older.isRestarted
  }

  #forgetText(sequence: number): void {
    this.#awaited.delete(sequence)
    this.texts.delete(sequence)
    this.forgottenTexts.add(sequence)
  }
}

const sequencesOf = (image: LiveKeyImage | undefined): readonly number[] =>
  image?.singles.map(({ sequence }) => sequence) ?? []
