/**
 * How long tokens may live for an enforcer: as its adapter says, and older ones as long as a log allowed that lost its
 * tail. No I/O.
 *
 * @module
 */
import type { RevocationBatchMessage } from '../../proto/wire.ts'
import {
  type EarlierLifetime,
  limitsOfLostLog,
  type TokenLifetimes,
} from '../../revocation/token-lifetimes.ts'

/** The limits that are held. */
export class HeldLifetimes {
  /** What holds beside what the adapter says: it did when a log had lost its tail. */
  ofLostLog: readonly EarlierLifetime[] = []

  /** The limits from a batch on. */
  with({ maxTokenLifetimeS, earlierLifetimes }: RevocationBatchMessage): TokenLifetimes {
    const earlier = earlierLifetimes.map(({ untilS, seconds }) => ({ until: untilS, seconds }))
    return { seconds: maxTokenLifetimeS, earlier: [...this.ofLostLog, ...earlier] }
  }

  /**
   * The log has lost its tail.
   *
   * @param held the limits until now.
   * @param knownAt when something of the log that was lost was last taken, seconds: cuts that are held are not from later.
   */
  keep(held: TokenLifetimes, knownAt: number): void {
    this.ofLostLog = limitsOfLostLog(held, knownAt)
  }
}
