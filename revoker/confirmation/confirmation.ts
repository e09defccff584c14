/**
 * A confirmed revocation: what the enforcers say, as the header `Revocation-Status` tells it. No I/O.
 *
 * @module
 */
import type { Publication } from '../publisher.ts'

/** What the enforcers have of a version. */
export interface Confirmation {
  /** The version that was waited for. */
  readonly version: number
  /** All enforcers that count have it. */
  readonly enforced: boolean
  /** Enforcers that have it. */
  readonly acked: number
  /** Enforcers that count. */
  readonly enforcers: number
  /** Every adapter knows its enforcers by their certificates. */
  readonly verified: boolean
  /** Why it is not enforced as far as anybody knows; for people. */
  readonly reasons: readonly string[]
}

/** Asks the enforcers. */
export interface Confirmer {
  /**
   * Resolves when all enforcers have what was published, when the time is over, or when the signal aborts. Never rejects
   * for what an adapter does.
   */
  confirm(
    published: Pick<Publication, 'position' | 'isByJti'>,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<Confirmation>
}

/** The answer when nobody could be asked. */
export const unconfirmed = (version: number, reason: string): Confirmation => ({
  version,
  enforced: false,
  acked: 0,
  enforcers: 0,
  verified: true,
  reasons: [reason],
})

/** The value of the header: `enforced; version=7; enforcers=12/12`, perhaps with `; unverified`. */
export function confirmationText({ version, enforced, acked, enforcers, verified }: Confirmation): string {
  const parts = [enforced ? 'enforced' : 'pending', `version=${version}`, `enforcers=${acked}/${enforcers}`]
  return [...parts, ...(verified ? [] : ['unverified'])].join('; ')
}
