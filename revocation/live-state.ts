/**
 * The live state of a log: what revoker and adapter know after its entries up to a position. It depends on the
 * entries alone, so everybody on the same log has the same state at the same position.
 *
 * @module
 */

import { createClaimSet } from './claim-set.ts'
import { ClaimSets, type ClaimSetsInUse } from './claim-sets.ts'
import { type Confirmation, DigestHistory } from './digest-history.ts'
import { keyText, matchKey } from './key.ts'
import { LiveKey, type Times } from './live-key.ts'
import type {
  ClaimSetDeclaration,
  LifetimeDeclaration,
  LogEvent,
  Restoration,
  Revocation,
} from './revocation.ts'
import { latestSeconds, secondsDown, secondsUp } from './time.ts'
import { declareLifetime, defaultTokenLifetimes, lifetimeAt, type TokenLifetimes } from './token-lifetimes.ts'

/** Why an entry of the log has no effect. */
export type DeadLetterReason = 'claim_set_undeclared' | 'claim_sets_limit' | 'lifetime_raises_limit'

/** The live revocations of a log, ordered by the position at which they last changed. */
export class LiveState {
  /** Position of the last entry that was applied; -1 before the first. */
  position = -1
  /** Digest of the log at {@link position}. */
  digest = 0n
  /** Called with each key whose entry changed, after the change. */
  onChanged: ((key: string, live: LiveKey) => void) | undefined

  readonly #keys = new Map<string, LiveKey>()
  readonly #restored = new Map<string, number>()
  readonly #claimSets = new ClaimSets()
  #lifetimes: TokenLifetimes | undefined
  readonly #history = new DigestHistory()
  #pruning: Iterator<[string, LiveKey]> | undefined

  /** Keys that are held, tombstones included. */
  get size(): number {
    return this.#keys.size
  }

  /** How long tokens may live, and so how long cuts last. */
  get lifetimes(): TokenLifetimes {
    return this.#lifetimes ?? defaultTokenLifetimes
  }

  /** Whether the log declares how long tokens may live. */
  get hasLifetime(): boolean {
    return this.#lifetimes !== undefined
  }

  /** The claim sets with live keys. */
  get claimSets(): ClaimSetsInUse {
    return this.#claimSets.inUse
  }

  /** Applies the next entry of the log; a dead letter only advances the position. */
  apply(position: number, digest: bigint, event: LogEvent): DeadLetterReason | undefined {
    this.advance(position, digest)
    switch (event.kind) {
      case 'revocation':
        return this.#revoke(event)
      case 'restoration':
        this.#restore(event)
        return undefined
      case 'claim-set':
        return this.#declare(event)
      case 'token-lifetime':
        return this.#declareLifetime(event)
      case 'beat':
        return undefined
    }
  }

  /** Passes an entry that has no effect. */
  advance(position: number, digest: bigint): void {
    this.position = position
    this.digest = digest
    this.#history.push(position, digest)
  }

  /** How a position and digest that somebody names relate to what was read here. */
  confirm(position: number, digest: bigint): Confirmation {
    return this.#history.confirm(position, digest)
  }

  /** What is live under a key; undefined for nothing. */
  entry(key: Uint8Array): Times | undefined {
    return this.#keys.get(keyText(key))?.entry
  }

  /** Whether a revocation of these times would change nothing. */
  covers(key: Uint8Array, times: Times): boolean {
    const live = this.entry(key)
    return live !== undefined && live.expiresAt >= times.expiresAt && live.issuedBefore >= times.issuedBefore
  }

  /** Whether a revocation of this set may be appended. */
  admits(set: { names: readonly string[]; cut: boolean }): boolean {
    return this.#claimSets.numberOf(set) !== undefined
  }

  /** The times of a revocation in this state: a cut lasts as long as a token issued before it can live. */
  timesOf(revocation: Pick<Revocation, 'issuedBefore' | 'expiresAt'>): Times {
    if (revocation.issuedBefore === undefined) {
      return { expiresAt: secondsUp(revocation.expiresAt ?? 0), issuedBefore: latestSeconds }
    }
    const issuedBefore = Math.min(latestSeconds - 1, secondsDown(revocation.issuedBefore))
    return { expiresAt: secondsUp(issuedBefore + lifetimeAt(this.lifetimes, issuedBefore)), issuedBefore }
  }

  /**
   * Keys that changed after a position, in the order of their last change; what changes meanwhile comes at the end.
   * From -1 this is the full state, tombstones included.
   */
  *changedAfter(position: number): Generator<readonly [key: string, live: LiveKey]> {
    for (const pair of this.#keys) {
      if (pair[1].changedAt > position) yield pair
    }
  }

  /**
   * Looks at some keys in turn and forgets those that expired.
   *
   * @param expiredAt seconds: now minus clock tolerance and greatest clock difference.
   * @returns true when all had their turn once more.
   */
  pruneStep(expiredAt: number, keysLimit: number): boolean {
    this.#pruning ??= this.#keys[Symbol.iterator]()
    for (let looked = 0; looked < keysLimit; looked++) {
      const next = this.#pruning.next()
      if (next.done === true) {
        this.#pruning = undefined
        for (const [id, expiresAt] of this.#restored) if (expiresAt <= expiredAt) this.#restored.delete(id)
        return true
      }
      const [key, live] = next.value
      if (live.lastNeededAt <= expiredAt) this.#forget(key, live)
      else if (live.entry.expiresAt > expiredAt) live.dropExpired(expiredAt)
    }
    return false
  }

  #revoke(event: Revocation): DeadLetterReason | undefined {
    const { set, key } = matchKey(event.match, event.issuedBefore !== undefined)
    const number = this.#claimSets.numberOf(set)
    if (number === undefined) return 'claim_set_undeclared'
    const times = this.timesOf(event)
    const text = keyText(key)
    const restoredUntil = this.#restored.get(event.id)
    if (restoredUntil !== undefined) {
      this.#restored.set(event.id, Math.max(restoredUntil, times.expiresAt))
      const live = this.#keys.get(text)
      if (live !== undefined) live.restoredUntil = Math.max(live.restoredUntil, times.expiresAt)
      return undefined
    }
    const live = this.#keys.get(text) ?? new LiveKey()
    live.claimSet = number
    this.#change(text, live, () => live.add(event.id, times))
    return undefined
  }

  #restore(event: Restoration): void {
    const known = this.#restored.get(event.target) ?? 0
    const expiresAt = Math.max(known, secondsUp(event.expiresAt))
    const text = keyText(Buffer.from(event.key, 'hex'))
    // A tombstone also for a target that is not in this log (any more): enforcers may still hold it.
    const live = this.#keys.get(text) ?? new LiveKey()
    this.#change(text, live, () => {
      this.#restored.set(event.target, live.restore(event.target, expiresAt))
    })
  }

  #declare(event: ClaimSetDeclaration): DeadLetterReason | undefined {
    return this.#claimSets.declare(createClaimSet(event.names, event.cut)) ? undefined : 'claim_sets_limit'
  }

  #declareLifetime(event: LifetimeDeclaration): DeadLetterReason | undefined {
    const lifetimes = declareLifetime(this.#lifetimes, event.seconds, event.declaredAt)
    this.#lifetimes = lifetimes ?? this.#lifetimes
    return lifetimes === undefined ? 'lifetime_raises_limit' : undefined
  }

  /** Lets `change` alter a key; if it is new or its entry another one then, it moves to the end of the order. */
  #change(text: string, live: LiveKey, change: () => void): void {
    const before = live.entry
    const isNew = !this.#keys.has(text)
    const wasLive = !isNew && before.expiresAt > 0
    change()
    const after = live.entry
    const isSame = after.expiresAt === before.expiresAt && after.issuedBefore === before.issuedBefore
    if (isSame && !isNew) return
    live.changedAt = this.position
    this.#keys.delete(text)
    this.#keys.set(text, live)
    if (!wasLive && after.expiresAt > 0) this.#count(live, 1)
    if (wasLive && after.expiresAt === 0) this.#count(live, -1)
    this.onChanged?.(text, live)
  }

  #forget(text: string, live: LiveKey): void {
    this.#keys.delete(text)
    if (live.entry.expiresAt > 0) this.#count(live, -1)
  }

  #count(live: LiveKey, change: 1 | -1): void {
    if (live.claimSet !== undefined) this.#claimSets.count(live.claimSet, change)
  }
}
