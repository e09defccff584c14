/**
 * What changed in a state since its checkpoint was last written. No I/O.
 *
 * @module
 */
import type { Applied } from '../revocation/apply-entry.ts'
import { historyLimit } from '../revocation/digest-history.ts'
import { matchKeyText } from '../revocation/key.ts'
import type { LiveKey, LiveKeyImage } from '../revocation/live-key.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { LogPosition } from './event-log.ts'

/** What people want to know of a revocation; never needed to decide. */
export type RevocationText = Pick<
  Revocation,
  'id' | 'match' | 'tokenType' | 'reason' | 'actor' | 'revokedAt' | 'issuedBefore' | 'expiresAt'
>

/** Changes that wait to be written; a key is 16 bytes as text, see `keyText`. */
export class CheckpointChanges {
  /** New images of keys; undefined for keys that are forgotten. */
  readonly keys = new Map<string, LiveKeyImage | undefined>()
  /** Keys whose older texts go. */
  readonly forgotten = new Set<string>()
  /** Texts by key and id. */
  readonly texts = new Map<string, Map<string, RevocationText>>()
  /** Positions that were read, in order. */
  history: LogPosition[] = []
  /** The log began anew: positions that were written before are of no use. */
  isRestarted = false

  /** How much there is to write. */
  get size(): number {
    return this.keys.size + this.history.length
  }

  /** A key was altered, or forgotten. */
  touch(key: string, live: LiveKey | undefined): void {
    this.keys.set(key, live?.image)
    if (live !== undefined) return
    this.forgotten.add(key)
    this.texts.delete(key)
  }

  /** An entry was applied, or passed. */
  note({ position, digest }: LogPosition, { event }: Applied): void {
    this.history.push({ position, digest })
    if (event?.kind !== 'revocation') return
    const { kind: _, ...text } = event
    this.#addText(matchKeyText(event.match, event.issuedBefore !== undefined).text, text)
  }

  /** The log begins anew. */
  restart(): void {
    this.history = []
    this.isRestarted = true
  }

  /** Puts back what could not be written: what was noted since then is newer. */
  putBack(older: CheckpointChanges): void {
    for (const [key, image] of older.keys) if (!this.keys.has(key)) this.keys.set(key, image)
    for (const key of older.forgotten) this.forgotten.add(key)
    for (const [key, texts] of older.texts) {
      if (this.forgotten.has(key)) continue
      for (const text of texts.values()) this.#addText(key, text)
    }
    if (!this.isRestarted) this.history = [...older.history, ...this.history].slice(-historyLimit)
    this.isRestarted ||= older.isRestarted
  }

  #addText(key: string, text: RevocationText): void {
    const texts = this.texts.get(key) ?? new Map<string, RevocationText>()
    this.texts.set(key, texts.set(text.id, text))
  }
}
