/**
 * The restorations that a log holds: they outlast repeats of what was restored, in whatever order both are read.
 *
 * @module
 */
import type { Restored } from './state-summary.ts'

/** Restorations by the id of the revocation that was restored. */
export class Restorations {
  /** Called with the id of each that changed, or is forgotten because it is over. */
  onChanged: ((id: string) => void) | undefined
  readonly #byId = new Map<string, Restored>()

  /** All that are held. */
  get all(): ReadonlyMap<string, Restored> {
    return this.#byId
  }

  /** The restoration of a revocation, if it was restored. */
  get(id: string): Restored | undefined {
    return this.#byId.get(id)
  }

  /** Takes over what a checkpoint kept. */
  load(restored: Iterable<readonly [id: string, restored: Restored]>): void {
    for (const [id, one] of restored) this.#byId.set(id, one)
  }

  /**
   * Notes a restoration. Of several copies the one that is kept longest counts: trimming keeps what is there.
   *
   * @param namedUntil how long this copy says that it is kept, seconds.
   * @param until how long it is kept at least, because the revocation would last so long.
   */
  note(id: string, namedUntil: number, until: number, position: number): void {
    const known = this.#byId.get(id)
    const place = known !== undefined && known.until > namedUntil ? known.position : position
    this.#set(id, { until: Math.max(until, known?.until ?? 0), position: place })
  }

  /** Keeps one longer: the revocation was read again, and would last longer. */
  prolong(id: string, { until, position }: Restored, atLeast: number): void {
    this.#set(id, { until: Math.max(until, atLeast), position })
  }

  /** Forgets those that are over. */
  prune(expiredAt: number): void {
    for (const [id, { until }] of this.#byId) {
      if (until > expiredAt) continue
      this.#byId.delete(id)
      this.onChanged?.(id)
    }
  }

  /** Forgets all: the log begins anew, and only the log may restore. */
  clear(): void {
    this.#byId.clear()
  }

  #set(id: string, restored: Restored): void {
    this.#byId.set(id, restored)
    this.onChanged?.(id)
  }
}
