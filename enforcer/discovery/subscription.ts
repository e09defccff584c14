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
import { type ClaimSet, createClaimSet } from '../../revocation/claim-set.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { countEntries, visitEntries } from '../../revocation/entries.ts'
import { RescindError } from '../../revocation/error.ts'
import { RevocationTable } from '../../revocation/table.ts'
import { Lowerings } from './lowerings.ts'
import { batchOf, invalidBatch, isSignOfLife } from './received-batch.ts'
import {
  areSameClaimSets,
  createSnapshot,
  forgottenAt,
  keepHeld,
  type Snapshot,
  storeEntry,
  storeLeftover,
  unionOfClaimSets,
} from './snapshot.ts'

/** Who subscribes, and its own limits. */
export interface SubscriptionOptions {
  readonly label: string
  readonly instance: string
  /** Own clock tolerance, seconds; above the adapter's the enforcer does not become ready. Default: the adapter's. */
  readonly clockToleranceSeconds?: number | undefined
  /** Own longest token lifetime, seconds; the same holds for it. */
  readonly maxTokenLifetimeSeconds?: number | undefined
  /** Entries beyond which the enforcer is not ready. */
  readonly revocationsLimit: number
}

/** A version that was reached, for the log. `entries` are those of the last message. */
export interface Received {
  readonly version: number
  readonly entries: number
  readonly isFull: boolean
  readonly rolledBack: boolean
}

/** The answer to a response: a request to send, if any, and what happened. */
export interface Reaction {
  readonly request: DeltaRequest | undefined
  readonly received?: Received
  /** Why the batch was refused. */
  readonly problem?: string
}

/** google.rpc.Code of a NACK. */
const invalidArgument = 3

/** The subscription of one enforcer; it outlives streams. */
export class Subscription {
  readonly snapshot: Snapshot = createSnapshot()
  readonly #options: SubscriptionOptions
  #filling: RevocationTable | undefined
  readonly #lowerings = new Lowerings()
  /** A batch was refused: what was sent after it would leave a hole, so that a full state must come first. */
  #hasHole = false
  /** Once complete, it stays so: an enforcer with a snapshot keeps deciding, whatever adapters do. */
  #complete = false
  #receivedSets: readonly ClaimSet[] = []
  /** Sets of entries that were kept through a full state which did not mention them. */
  #keptSets: { sets: readonly ClaimSet[]; until: number } = { sets: [], until: 0 }
  #logAgeMs = 0
  #receivedAtMs = Number.NEGATIVE_INFINITY

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
   * Takes a response. A batch that cannot be used changes nothing and is refused.
   *
   * @param nowMs monotonic milliseconds.
   * @param nowSeconds wall clock, for what has expired.
   */
  receive(response: DeltaResponseMessage, nowMs: number, nowSeconds: number): Reaction {
    if (isSignOfLife(response)) return { request: undefined }
    try {
      const batch = batchOf(response)
      this.#check(batch)
      const before = this.snapshot.version
      const entries = this.#apply(batch, nowSeconds)
      const { version } = this.snapshot
      const isFull = batch.kind === 'FULL_LAST'
      const isReached = version !== before || isFull
      // On the way to a version the state is as old as before.
      if (isReached || response.nonce === '') {
        this.#logAgeMs = batch.logAgeMs
        this.#receivedAtMs = nowMs
      }
      if (response.nonce === '') return { request: undefined }
      const request = { typeUrl: revocationBatchTypeUrl, responseNonce: response.nonce }
      if (!isReached) return { request }
      return { request, received: { version, entries, isFull, rolledBack: batch.rolledBack } }
    } catch (error) {
      this.#filling = undefined
      this.#hasHole = true
      if (!(error instanceof RescindError)) throw error
      return { request: nack(response, error.message), problem: error.message }
    }
  }

  /** Milliseconds since an adapter last knew that it had the end of the log; Infinity before the first batch. */
  stalenessMs(nowMs: number): number {
    return this.#logAgeMs + nowMs - this.#receivedAtMs
  }

  /** Why checks cannot be answered; empty if they can. */
  notReadyReasons(): string[] {
    const { snapshot } = this
    const { clockToleranceSeconds = 0, maxTokenLifetimeSeconds = 0, revocationsLimit } = this.#options
    if (!this.#complete) return ['no complete snapshot of the revocations yet']
    const reasons: string[] = []
    if (clockToleranceSeconds > snapshot.toleranceSeconds) {
      reasons.push(`enforcer.clockTolerance is above the adapter's ${snapshot.toleranceSeconds} s`)
    }
    if (maxTokenLifetimeSeconds > snapshot.lifetimes.seconds) {
      reasons.push(`enforcer.maxTokenLifetime is above the log's ${snapshot.lifetimes.seconds} s`)
    }
    if (snapshot.table.size > revocationsLimit) {
      reasons.push(`enforcer.maxRevocations (${revocationsLimit}) is passed: ${snapshot.table.size}`)
    }
    return reasons
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

  #apply(batch: RevocationBatchMessage, nowSeconds: number): number {
    const count = countEntries(batch.entries)
    const claimSets = this.#claimSetsOf(batch)
    if (batch.kind === 'FULL_FIRST') this.#beginFull()
    if (batch.kind === 'DELTA') this.#applyDelta(batch, claimSets, count, nowSeconds)
    else {
      const table = this.#filling as RevocationTable
      if (batch.leftovers) this.#storeLeftovers(table, batch, count)
      else visitEntries(batch.entries, 0, count, table.set.bind(table))
      if (batch.kind === 'FULL_LAST') this.#swap(table, batch, claimSets, nowSeconds)
    }
    // Only now: a table that could not take an entry must not pass for this version.
    if (batch.kind === 'DELTA' || batch.kind === 'FULL_LAST') this.#reach(batch)
    return count
  }

  /** Until the last message of a run, which raises the version, nothing that is enforced gets weaker. */
  #applyDelta(
    batch: RevocationBatchMessage,
    claimSets: readonly ClaimSet[],
    count: number,
    nowSeconds: number,
  ): void {
    const { table } = this.snapshot
    this.#adopt(batch, claimSets, nowSeconds)
    if (batch.leftovers) {
      this.#storeLeftovers(table, batch, count)
    } else if (batch.to === this.snapshot.version) {
      visitEntries(batch.entries, 0, count, (...words) => this.#lowerings.strengthen(table, words))
    } else {
      this.#lowerings.apply(this.snapshot)
      visitEntries(batch.entries, 0, count, (...words) => storeEntry(this.snapshot, words))
    }
  }

  #storeLeftovers(table: RevocationTable, batch: RevocationBatchMessage, count: number): void {
    visitEntries(batch.entries, 0, count, (...words) => storeLeftover(table, this.snapshot.kept, words))
  }

  #beginFull(): void {
    this.#filling = new RevocationTable()
    this.#hasHole = false
    this.#lowerings.clear()
  }

  #swap(
    table: RevocationTable,
    batch: RevocationBatchMessage,
    claimSets: readonly ClaimSet[],
    nowSeconds: number,
  ): void {
    const { snapshot } = this
    const expiredAt = forgottenAt(nowSeconds, batch.toleranceS)
    const keptUntil = keepHeld(snapshot, table, expiredAt, batch.rolledBack)
    if (keptUntil > 0) {
      this.#keptSets = { sets: snapshot.claimSets, until: Math.max(keptUntil, this.#keptSets.until) }
    }
    this.#adopt(batch, claimSets, nowSeconds)
    snapshot.table = table
    this.#filling = undefined
  }

  /** Claim sets take effect before the entries of the same batch; those that went, when a version is reached. */
  #adopt(batch: RevocationBatchMessage, claimSets: readonly ClaimSet[], nowSeconds: number): void {
    const { snapshot } = this
    const isKept = this.#keptSets.until > forgottenAt(nowSeconds, batch.toleranceS)
    const wanted = isKept ? unionOfClaimSets(claimSets, this.#keptSets.sets) : claimSets
    const isOnTheWay = batch.kind === 'DELTA' && batch.to === snapshot.version
    const sets = isOnTheWay ? unionOfClaimSets(snapshot.claimSets, wanted) : wanted
    // The same list stays if nothing changed: another one makes every remembered token derive its keys again.
    if (!areSameClaimSets(sets, snapshot.claimSets)) snapshot.claimSets = sets
    this.#receivedSets = claimSets
    snapshot.generation = batch.claimSetGeneration
    snapshot.toleranceSeconds = batch.toleranceS
    snapshot.lifetimes = {
      seconds: batch.maxTokenLifetimeS,
      earlier: batch.earlierLifetimes.map(({ untilS, seconds }) => ({ until: untilS, seconds })),
    }
  }

  #reach(batch: RevocationBatchMessage): void {
    const { snapshot } = this
    snapshot.epoch = batch.epoch
    if (batch.kind === 'FULL_LAST' || batch.to !== snapshot.version) {
      snapshot.version = batch.to
      snapshot.digest = batch.toDigest.toString('hex')
    }
    this.#complete ||= batch.to >= batch.target
  }

  #claimSetsOf(batch: RevocationBatchMessage): readonly ClaimSet[] {
    if (batch.claimSetGeneration === this.snapshot.generation) return this.#receivedSets
    const sets = batch.claimSets.map(set => createClaimSet(set.names, set.cut))
    if (claimSetGeneration(sets) !== batch.claimSetGeneration)
      throw invalidBatch('its claim sets are not known')
    return sets
  }
}

const nack = (response: DeltaResponseMessage, message: string): DeltaRequest => ({
  typeUrl: revocationBatchTypeUrl,
  responseNonce: response.nonce,
  errorDetail: { code: invalidArgument, message },
})
