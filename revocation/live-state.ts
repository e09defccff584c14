/**
 * The live state of a log: what revoker and adapter know after its entries up to a position. It depends on the
 * entries alone, so everybody on the same log has the same state at the same position.
 *
 * @module
 */
import { createClaimSet } from './claim-set.ts'
import { ClaimSets, type ClaimSetsInUse } from './claim-sets.ts'
import { DeclaredLifetimes } from './declared-lifetimes.ts'
import { DigestHistory } from './digest-history.ts'
import { RescindError } from './error.ts'
import { keyText, matchKeyText } from './key.ts'
import { type LiveEntry, type LiveKey, type LiveKeyImage, restoredTimes, type Times } from './live-key.ts'
import { LiveKeys } from './live-keys.ts'
import type { LiveRow } from './live-row.ts'
import type { KeptKey } from './live-rows.ts'
import { Restorations } from './restorations.ts'
import type {
  ClaimSetDeclaration,
  DeadLetterReason,
  LifetimeDeclaration,
  LogEvent,
  Restoration,
  Revocation,
} from './revocation.ts'
import type { StateParts, StateSummary } from './state-summary.ts'
import { latestSeconds, secondsDown, secondsUp } from './time.ts'
import { lifetimeAt, type TokenLifetimes } from './token-lifetimes.ts'

/** The live revocations of a log, ordered by the position at which they last changed. */
export class LiveState {
  /** Epoch of the log that was read; undefined until it is known. */
  epoch: string | undefined
  /** Position of the last entry that was applied; -1 before the first. */
  position = -1
  /** Digest of the log at {@link position}. */
  digest = 0n
  /** Seconds: what was not needed any more at this time was forgotten, unless it was read again since. */
  prunedAt = Number.NEGATIVE_INFINITY
  /** Called with each key whose entry changed, after the change. */
  onChanged: ((key: string, live: LiveEntry) => void) | undefined
  /** Called with each key of which anything changed: what it was, and what it is; undefined if it is not held. */
  onTouched:
    | ((key: string, before: LiveKeyImage | undefined, after: LiveKeyImage | undefined) => void)
    | undefined
  /** Those that the log holds. */
  readonly restorations = new Restorations()
  /** Called when the state begins anew, before its keys are touched. */
  onRestart: (() => void) | undefined

  readonly #keys = new LiveKeys({
    changed: (key, live) => this.onChanged?.(key, live),
    touched: (key, before, after) => this.onTouched?.(key, before, after),
    counted: (claimSet, change) => this.#claimSets.count(claimSet, change),
  })
  readonly #claimSets = new ClaimSets()
  readonly #lifetimes = new DeclaredLifetimes()
  #history = new DigestHistory()
  #pruningSince: number | undefined

  /** Keys that are held, tombstones included. */
  get size(): number {
    return this.#keys.size
  }

  /** Revocations and restorations that are held, those of one key beyond 64 as one. */
  get revocations(): number {
    return this.#keys.revocations + this.restorations.all.size
  }

  /** How long tokens may live, and so how long cuts last. */
  get lifetimes(): TokenLifetimes {
    return this.#lifetimes.lifetimes
  }

  /** What the log declares of {@link lifetimes}. */
  get declaredLifetimes(): Pick<DeclaredLifetimes, 'longestSeconds' | 'longestDeclaredAt'> {
    return this.#lifetimes
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
  readonly confirm: DigestHistory['confirm'] = (position, digest) => this.#history.confirm(position, digest)

  /** The position before another one, to read that one again; undefined if it is not among the last million. */
  readonly before: DigestHistory['before'] = position => this.#history.before(position)

  /** The digest of a position that was read, of the last million; undefined for any other. */
  readonly digestAt: DigestHistory['digestAt'] = position => this.#history.digestAt(position)

  /** What is live under a key; undefined for nothing. */
  entry(key: Uint8Array): Times | undefined {
    return this.#keys.get(keyText(key))?.entry
  }

  /** Whether the log holds as much already. */
  covers(key: Uint8Array, times: Times): boolean {
    const logged = this.#keys.get(keyText(key))?.logged ?? restoredTimes
    return logged.expiresAt >= times.expiresAt && logged.issuedBefore >= times.issuedBefore
  }

  /** Whether a revocation of this set may be appended. */
  admits(set: { names: readonly string[]; cut: boolean }): boolean {
    return this.#claimSets.admitted(set) !== undefined
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
   * Keys that changed after a position, in the order of their last change, tombstones included; what changes meanwhile
   * comes at the end. A key may come twice. One object tells of each in turn.
   */
  changedAfter(position: number): Generator<LiveRow> {
    return this.#keys.changedAfter(this.#keys.since + position)
  }

  /** All keys, leftovers and tombstones included. */
  all(): Generator<LiveRow> {
    return this.#keys.changedAfter(Number.NEGATIVE_INFINITY)
  }

  /** What is held under a key, as text: a copy. */
  live(key: string): LiveKey | undefined {
    return this.#keys.get(key)
  }

  /** Keys with something that was enforced and that the log does not hold (any more). */
  leftovers(): Generator<LiveRow> {
    return this.#keys.leftovers()
  }

  /** Where the log last holds a revocation, or of those that were merged the one that lasts longest. */
  heldAt({ id, match, issuedBefore }: Revocation): number | undefined {
    const live = this.#keys.get(matchKeyText(match, issuedBefore !== undefined).text)
    const sequence = live?.find(id)?.sequence ?? live?.merged?.sequence
    return sequence === undefined ? undefined : sequence - this.#keys.since
  }

  /** The sequence number of {@link position}; see `LiveKey`. */
  get sequence(): number {
    return this.#keys.since + this.position
  }

  /** Where the log last holds a declaration that counts; undefined if this one does not. */
  declaredAt(event: ClaimSetDeclaration | LifetimeDeclaration): number | undefined {
    if (event.kind === 'claim-set') return this.#claimSets.declaredAt(createClaimSet(event.names, event.cut))
    return this.#lifetimes.positionOf(event)
  }

  /**
   * The log is another one, or lost its tail, or is to be read again: it will be applied from its start. What is
   * enforced stays until it expires, as leftovers; what was restored must be restored by the log.
   */
  restart(): void {
    this.onRestart?.()
    this.#keys.becomeLeftovers(this.sequence + 1)
    this.epoch = undefined
    this.position = -1
    this.digest = 0n
    this.#history = new DigestHistory()
    this.restorations.clear()
    this.#claimSets.forgetDeclarations()
    this.#lifetimes.restart()
  }

  /** What a checkpoint keeps, keys and history aside. */
  get summary(): StateSummary {
    return {
      epoch: this.epoch,
      position: this.position,
      digest: this.digest,
      since: this.#keys.since,
      claimSets: this.#claimSets.all,
      declared: this.#claimSets.declared,
      formerly: this.#claimSets.formerly,
      lifetimes: this.#lifetimes.image,
    }
  }

  /** What a checkpoint keeps of a key; undefined if nothing is held under it. */
  kept(key: string): KeptKey | undefined {
    return this.#keys.kept(key)
  }

  /**
   * Takes over what a checkpoint kept; only for a state that is new.
   *
   * @throws RescindError ERR_CHECKPOINT_INVALID if another version has numbered the claim sets otherwise.
   */
  load(summary: StateSummary, { keys, restored, history }: StateParts): void {
    for (const [number, set] of summary.claimSets.entries()) {
      if (this.#claimSets.numberOf(set) === number) continue
      throw new RescindError('ERR_CHECKPOINT_INVALID', 'its claim sets are those of another version')
    }
    for (const [set, position] of summary.declared) this.#claimSets.declare(set, position)
    for (const set of summary.formerly) this.#claimSets.declareFormerly(set)
    this.#keys.load(keys, summary.since)
    this.restorations.load(restored)
    for (const [position, digest] of history) this.#history.push(position, digest)
    this.#lifetimes.load(summary.lifetimes)
    this.epoch = summary.epoch
    this.position = summary.position
    this.digest = summary.digest
  }

  /**
   * Looks at some keys in turn and forgets those that expired.
   *
   * @param expiredAt seconds: now minus clock tolerance and greatest clock difference.
   * @param readUntil the same for when the end of the log was last read: a repeat of what was restored, and that lasts
   *   longer, may come behind what was read, so a restoration must not be forgotten before.
   * @returns true when all had their turn once more.
   */
  pruneStep(expiredAt: number, keysLimit: number, readUntil = expiredAt): boolean {
    this.#pruningSince ??= expiredAt
    if (!this.#keys.pruneStep(expiredAt, keysLimit)) return false
    this.prunedAt = this.#pruningSince
    this.#pruningSince = undefined
    this.restorations.prune(Math.min(expiredAt, readUntil))
    return true
  }

  /** A set that is not declared (yet) is a dead letter, but held: then the order of the two does not matter. */
  #revoke(event: Revocation): DeadLetterReason | undefined {
    const { set, text } = matchKeyText(event.match, event.issuedBefore !== undefined)
    const claimSet = this.#claimSets.admitted(set) ?? this.#claimSets.numberOf(set)
    if (claimSet === undefined) return 'claim_set_undeclared'
    const times = this.timesOf(event)
    const restored = this.restorations.get(event.id)
    if (restored === undefined) {
      this.#keys.change(text, this.sequence, live => {
        live.claimSet = claimSet
        live.add(event.id, times, this.sequence)
      })
    } else {
      // The tombstone stays as it is: enforcers hold nothing of this copy, and to tell them again would be to restore again.
      this.restorations.prolong(event.id, restored, times.expiresAt)
    }
    return this.#claimSets.admitted(set) === undefined ? 'claim_set_undeclared' : undefined
  }

  #restore({ target, key, ...event }: Restoration): void {
    const expiresAt = secondsUp(event.expiresAt)
    // A tombstone also for a target that is not in this log (any more): enforcers may still hold it.
    this.#keys.change(keyText(Buffer.from(key, 'hex')), this.sequence, live => {
      const until = live.restore(target, Math.max(expiresAt, this.restorations.get(target)?.until ?? 0))
      this.restorations.note(target, expiresAt, until, this.position)
    })
  }

  #declare(event: ClaimSetDeclaration): DeadLetterReason | undefined {
    const set = createClaimSet(event.names, event.cut)
    return this.#claimSets.declare(set, this.position) ? undefined : 'claim_sets_limit'
  }

  /** Cuts last as long as the lifetimes say, also those that were read before the declaration. */
  #declareLifetime(event: LifetimeDeclaration): DeadLetterReason | undefined {
    if (!this.#lifetimes.declare(event, this.position)) return 'lifetime_raises_limit'
    this.#keys.retimeCuts(this.sequence, ({ issuedBefore }) => this.timesOf({ issuedBefore }))
    return undefined
  }
}
