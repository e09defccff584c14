/**
 * The enforcer's side of a delta stream as a state machine: batches in, table changes and requests out. No I/O.
 *
 * @module
 */
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  type RevocationBatchMessage,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import type { ClaimSet } from '../../revocation/claim-set.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { countEntries, visitEntries } from '../../revocation/entries.ts'
import { RescindError } from '../../revocation/error.ts'
import type { Reaction } from './feed.ts'
import { FullState } from './full-state.ts'
import { HeldClaimSets } from './held-claim-sets.ts'
import { HeldLifetimes } from './held-lifetimes.ts'
import { Lowerings } from './lowerings.ts'
import { limitProblems, type OwnLimits } from './own-limits.ts'
import { batchOf, invalidBatch, isSignOfLife, nack } from './received-batch.ts'
import { areSameClaimSets, createSnapshot, forgottenAt, type Snapshot, unionOfClaimSets } from './snapshot.ts'
import type { SnapshotFacts, StoredSnapshot } from './stored-snapshot.ts'

/** Who subscribes, and its own limits. */
export interface SubscriptionOptions extends OwnLimits {
  readonly label: string
  readonly instance: string
}

/** Times of a batch, by the wall clock, seconds. */
interface Times {
  readonly nowSeconds: number
  /** When something was taken before it: nothing that is held was revoked later. */
  readonly takenAt: number
}

/** The subscription of one enforcer; it outlives streams. */
export class Subscription {
  readonly snapshot: Snapshot = createSnapshot()
  readonly #options: SubscriptionOptions
  #revision = 0
  #filling: FullState | undefined
  readonly #lowerings = new Lowerings()
  /** A batch was refused: what was sent after it would leave a hole, so that a full state must come first. */
  #hasHole = false
  /** Once complete, it stays so: an enforcer with a snapshot keeps deciding, whatever adapters do. */
  #complete = false
  readonly #sets = new HeldClaimSets()
  readonly #lifetimes = new HeldLifetimes()
  #logAgeMs = 0
  #receivedAtMs = Number.NEGATIVE_INFINITY
  /** When entries were last taken, monotonic milliseconds. */
  #takenAtMs = Number.NEGATIVE_INFINITY
  /** What is held came from disk, and no adapter has led on from it. */
  #isStored = false

  constructor(options: SubscriptionOptions) {
    this.#options = options
  }

  /** The first request of a stream: who asks, and what it holds. */
  open(): DeltaRequest {
    const { version, epoch, digest } = this.snapshot
    this.#filling = undefined
    this.#hasHole = false
    this.#lowerings.clear()
    return {
      node: {
        id: this.#options.label,
        metadata: { fields: { instanceIdentifier: { stringValue: this.#options.instance } } },
      },
      typeUrl: revocationBatchTypeUrl,
      resourceNamesSubscribe: ['*'],
      initialResourceVersions: version > 0 ? { [epoch]: `${version}/${digest}` } : {},
    }
  }

  /** The last request of a stream of an enforcer that has stopped serving. */
  goodbye(): DeltaRequest {
    return { typeUrl: revocationBatchTypeUrl, resourceNamesUnsubscribe: ['*'] }
  }

  /**
   * Takes a response, in slices: whoever runs the steps lets others have a turn in between, takes no other response before
   * the last step, and leaves the rest if the stream ends. A batch that cannot be used raises no version and is refused.
   *
   * @param nowMs monotonic milliseconds.
   * @param nowSeconds wall clock, for what has expired.
   */
  *receive(response: DeltaResponseMessage, nowMs: number, nowSeconds: number): Generator<void, Reaction> {
    if (isSignOfLife(response)) return { request: undefined }
    try {
      const batch = batchOf(response)
      this.#check(batch)
      const before = this.snapshot.version
      const takenAt = nowSeconds - (nowMs - this.#takenAtMs) / 1000
      // Before it is applied, for it may be left in the middle. A full state counts when it is swapped in.
      if (batch.kind === 'DELTA' && batch.entries.length > 0) this.#takenAtMs = nowMs
      const entries = yield* this.#apply(batch, { nowSeconds, takenAt })
      const { version } = this.snapshot
      const isFull = batch.kind === 'FULL_LAST'
      if (isFull) this.#takenAtMs = nowMs
      const isReached = version !== before || isFull
      if (isReached || (batch.kind === 'DELTA' && entries > 0)) this.#revision += 1
      const isCurrent = isLast(batch)
      // On the way to a version the state is as old as before.
      if (isCurrent) {
        this.#logAgeMs = batch.logAgeMs
        this.#receivedAtMs = nowMs
      }
      if (response.nonce === '') return { request: undefined, isCurrent }
      const request = { typeUrl: revocationBatchTypeUrl, responseNonce: response.nonce }
      if (!isReached) return { request, isCurrent }
      return { request, isCurrent, received: { version, entries, isFull, rolledBack: batch.rolledBack } }
    } catch (error) {
      this.#filling = undefined
      this.#hasHole = true
      if (!(error instanceof RescindError)) throw error
      return { request: nack(response, error.message), problem: error.message }
    }
  }

  /** Counts the changes of what is to be stored. */
  get revision(): number {
    return this.#revision
  }

  /** Milliseconds since an adapter last knew that it had the end of the log; Infinity before the first batch. */
  stalenessMs(nowMs: number): number {
    return this.#logAgeMs + nowMs - this.#receivedAtMs
  }

  /** What is to be stored beside the tables; undefined before there is a complete state. */
  facts(nowMs: number, wallMs: number): SnapshotFacts | undefined {
    const { version, epoch, digest, toleranceSeconds, lifetimes, claimSets } = this.snapshot
    if (!this.#complete) return undefined
    const { kept: keptSets, keptUntil } = this.#sets
    const ofLog = { version, epoch, digest, toleranceSeconds, lifetimes }
    const kept = { keptSets, keptUntil, lifetimesOfLostLog: this.#lifetimes.ofLostLog }
    return { ...ofLog, claimSets, ...kept, ageMs: this.stalenessMs(nowMs), storedAtMs: wallMs }
  }

  /** Holds what was stored, to resume from; checks are not decided by it until an adapter leads on, or {@link useStored}. */
  restore({ facts, table, kept }: StoredSnapshot, nowMs: number, wallMs: number): void {
    const { version, epoch, digest, toleranceSeconds, lifetimes, claimSets } = facts
    const generation = claimSetGeneration(claimSets)
    Object.assign(this.snapshot, {
      table,
      kept,
      version,
      epoch,
      digest,
      toleranceSeconds,
      lifetimes,
      claimSets,
      generation,
    })
    this.#sets.received = claimSets
    this.#sets.keep(facts.keptSets, facts.keptUntil)
    this.#lifetimes.ofLostLog = facts.lifetimesOfLostLog
    const storedForMs = Math.max(0, wallMs - facts.storedAtMs)
    this.#logAgeMs = facts.ageMs + storedForMs
    this.#receivedAtMs = nowMs
    this.#takenAtMs = nowMs - storedForMs
    this.#isStored = true
  }

  /** Decides checks by what was stored from now on; returns false if nothing was, or an adapter has led on. */
  useStored(): boolean {
    if (!this.#isStored || this.#complete) return false
    this.#complete = true
    return true
  }

  /** Whether checks are decided by what was stored. */
  get isStored(): boolean {
    return this.#isStored && this.#complete
  }

  /** Why checks cannot be answered; empty if they can. */
  notReadyReasons(): string[] {
    if (!this.#complete) return ['no complete snapshot of the revocations yet']
    return limitProblems(this.snapshot, this.#options)
  }

  /** Whether the batch fits what is held. */
  #check(batch: RevocationBatchMessage): void {
    if (batch.kind === 'DELTA') this.#checkDelta(batch)
    else if (batch.kind !== 'FULL_FIRST' && this.#filling === undefined) {
      throw invalidBatch('a full state without its beginning')
    }
  }

  #checkDelta({ from, epoch }: RevocationBatchMessage): void {
    const { snapshot } = this
    if (this.#hasHole) throw invalidBatch('a delta after a batch that was refused')
    if (from !== snapshot.version) {
      throw invalidBatch(`a delta from version ${from} does not fit version ${snapshot.version}`)
    }
    if (epoch !== snapshot.epoch) throw invalidBatch('a delta of another epoch')
  }

  *#apply(batch: RevocationBatchMessage, times: Times): Generator<void, number> {
    const count = countEntries(batch.entries)
    const claimSets = this.#sets.namedBy(batch, this.snapshot.generation)
    if (batch.kind === 'FULL_FIRST') this.#beginFull()
    if (batch.kind === 'DELTA') yield* this.#applyDelta(batch, claimSets, times)
    else yield* this.#applyFull(batch, claimSets, times)
    return count
  }

  /**
   * Claim sets take effect before the entries. Until the last message of a run has been taken, which raises the version,
   * nothing that is enforced gets weaker.
   */
  *#applyDelta(batch: RevocationBatchMessage, claimSets: readonly ClaimSet[], { nowSeconds }: Times) {
    const { snapshot } = this
    const { table, kept } = snapshot
    const needed = this.#sets.with(claimSets, batch.toleranceS, nowSeconds)
    this.#adopt(batch, claimSets, unionOfClaimSets(snapshot.claimSets, needed))
    let leftUntil = 0
    yield* visitEntries(batch.entries, (...words) => {
      if (!batch.leftovers) return this.#lowerings.strengthen(table, words)
      for (const one of [table, kept]) one.raise(...words)
      leftUntil = Math.max(leftUntil, words[4])
    })
    if (leftUntil > 0) this.#sets.keep(needed, leftUntil)
    if (batch.to !== snapshot.version) {
      this.#lowerings.apply(snapshot)
      this.#adopt(batch, claimSets, needed)
    }
    this.#reach(batch)
  }

  #beginFull(): void {
    this.#filling = new FullState()
    this.#hasHole = false
    this.#lowerings.clear()
  }

  *#applyFull(batch: RevocationBatchMessage, claimSets: readonly ClaimSet[], times: Times): Generator<void> {
    const { snapshot } = this
    const { nowSeconds, takenAt } = times
    const { entries, leftovers, rolledBack } = batch
    const filling = this.#filling as FullState
    if (batch.kind === 'FULL_FIRST')
      yield* filling.makeRoom(Math.min(batch.fullEntries, this.#options.revocationsLimit))
    if (leftovers) yield* filling.addLeftovers(entries, snapshot, rolledBack)
    else yield* filling.add(entries)
    if (batch.kind !== 'FULL_LAST') return
    yield* filling.takeOver(snapshot, forgottenAt(nowSeconds, batch.toleranceS), rolledBack)
    const { keptUntil } = filling
    if (keptUntil > 0) this.#sets.keep(unionOfClaimSets(snapshot.claimSets, claimSets), keptUntil)
    if (rolledBack && snapshot.version >= 0) this.#lifetimes.keep(snapshot.lifetimes, takenAt)
    this.#adopt(batch, claimSets, this.#sets.with(claimSets, batch.toleranceS, nowSeconds))
    filling.swapInto(snapshot, rolledBack)
    this.#filling = undefined
    this.#reach(batch)
  }

  #adopt(batch: RevocationBatchMessage, received: readonly ClaimSet[], sets: readonly ClaimSet[]): void {
    this.#sets.received = received
    const { snapshot } = this
    // The same list stays if nothing changed: another one makes every remembered token derive its keys again.
    if (!areSameClaimSets(sets, snapshot.claimSets)) {
      snapshot.claimSets = sets
      this.#revision += 1
    }
    if (batch.toleranceS !== snapshot.toleranceSeconds) {
      snapshot.toleranceSeconds = batch.toleranceS
      this.#revision += 1
    }
    snapshot.generation = batch.claimSetGeneration
    snapshot.lifetimes = this.#lifetimes.with(batch)
  }

  #reach(batch: RevocationBatchMessage): void {
    const { snapshot } = this
    snapshot.epoch = batch.epoch
    if (batch.kind === 'FULL_LAST' || batch.to !== snapshot.version) {
      snapshot.version = batch.to
      snapshot.digest = batch.toDigest.toString('hex')
    }
    if (!isLast(batch)) return
    this.#complete = true
    this.#isStored = false
  }
}

/** Whether everything that the adapter had has come with this batch and those before it. */
const isLast = ({ more, to, target }: RevocationBatchMessage): boolean => !more && to >= target
