/**
 * How long tokens may live for an enforcer: as its adapter says, and for older ones as long as a log allowed that lost
 * its tail. No I/O.
 *
 * @module
 */
import type { RevocationBatchMessage } from '../../proto/wire.ts'
import {
  type EarlierLifetime,
  limitOfLostLog,
  type TokenLifetimes,
} from '../../revocation/token-lifetimes.ts'

/** The limits that are held. */
export class HeldLifetimes {
  /** What holds for tokens that were issued before a log had lost its tail, if that is less. */
  ofLostLog: EarlierLifetime | undefined

  /** The limits from a batch on. */
  with({ maxTokenLifetimeS, earlierLifetimes }: RevocationBatchMessage): TokenLifetimes {
    const earlier = earlierLifetimes.map(({ untilS, seconds }) => ({ until: untilS, seconds }))
    return {
      seconds: maxTokenLifetimeS,
      earlier: this.ofLostLog === undefined ? earlier : [this.ofLostLog, ...earlier],
    }
  }

  /** The log had lost its tail when it sent this batch; before that these limits were held. */
  keep(held: TokenLifetimes, { maxTokenLifetimeS }: RevocationBatchMessage, nowSeconds: number): void {
    this.ofLostLog = limitOfLostLog(held, maxTokenLifetimeS, nowSeconds)
  }
}
