/**
 * The messages that bring an enforcer from one version to a later one. What everybody needs is encoded once and
 * sent to all; what one stream lacks is walked for that stream alone. No I/O.
 *
 * @module
 */

import { digestToBytes } from '../event-log/digest.ts'
import {
  deltaResponseCodec,
  type RevocationBatchFields,
  revocationBatchCodec,
  revocationBatchTypeUrl,
} from '../proto/wire.ts'
import { batchFormat, EntryPacker, packedEntryBytes } from '../revocation/entries.ts'
import { derivation } from '../revocation/key.ts'
import { wordsOf } from '../revocation/key-words.ts'
import type { LiveEntry } from '../revocation/live-key.ts'
import type { LiveState } from '../revocation/live-state.ts'

/** A message ready to be written. */
export interface Outgoing {
  /** An encoded DeltaDiscoveryResponse. */
  readonly bytes: Buffer
  /** Named by the receiver's ACK; empty for a heartbeat, which gets none. */
  readonly nonce: string
  /** The version that the receiver has after this message. */
  readonly to: number
}

/** An empty message, so that an enforcer which must wait does not take the silence for a dead connection. */
export const signOfLife: Outgoing = { bytes: deltaResponseCodec.encode({}), nonce: '', to: -1 }

/** What the batches say beside the state. */
export interface BatchSettings {
  readonly toleranceSeconds: number
  /** Time since the end of the log was last confirmed, milliseconds. */
  readonly logAgeMs: () => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Bytes of entries in one message; default 1 MiB. */
  readonly entriesBytesLimit?: number
  /** Bytes of shared messages that are kept for streams that lag; default 32 MiB. */
  readonly sharedBytesLimit?: number
}

/** Messages that lead from a version to another; all but the last leave the version as it is. */
interface Run {
  readonly from: number
  readonly to: number
  readonly messages: readonly Outgoing[]
  readonly bytes: number
  /** When it was encoded, monotonic milliseconds. */
  readonly atMs: number
}

/** Messages say how old the knowledge of the log was when they were encoded: later than this they are not sent. */
const sharedForMs = 1_000

/** A key whose entry is to be sent. */
interface Sendable {
  readonly hasLeftovers: boolean
  packInto(packer: EntryPacker): void
}

/** Which step a message is. Versions are positions; the optional ones are false or 0 unless given. */
interface Step extends Pick<RevocationBatchFields, 'rolledBack' | 'leftovers' | 'fullEntries' | 'more'> {
  readonly kind: NonNullable<RevocationBatchFields['kind']>
  readonly from: number
  readonly to: number
  readonly target: number
}

/** Entries that are not sent yet: what the log holds, and what it may have lost. */
interface Parts {
  readonly logged: EntryPacker
  readonly leftovers: EntryPacker
}

/** The source of all messages of an adapter. */
export class Batches {
  readonly #state: LiveState
  readonly #settings: BatchSettings
  readonly #entriesPerMessage: number
  readonly #changed = new Map<string, LiveEntry>()
  readonly #shared = new Map<number, Run>()
  #sharedBytes = 0
  #flushedTo: number
  /** Claim sets that every stream at {@link version} was sent last; -1 if one of them may have been sent others. */
  #announcedGeneration = -1
  #nonce = 0

  constructor(state: LiveState, settings: BatchSettings) {
    this.#state = state
    this.#settings = settings
    this.#entriesPerMessage = Math.floor((settings.entriesBytesLimit ?? 2 ** 20) / packedEntryBytes)
    this.#flushedTo = state.position
    state.onChanged = (key, live) => this.#changed.set(key, live)
  }

  /** The version that streams without lag have. */
  get version(): number {
    return this.#flushedTo
  }

  /** Encodes what changed since the last time, for all streams. */
  flush(): void {
    const from = this.#flushedTo
    const to = this.#state.position
    if (from === to) return
    const { generation } = this.#state.claimSets
    const changed = Array.from(this.#changed, ([key, live]) => sendable(key, live))
    const messages = [...this.#delta(from, changed, generation !== this.#announcedGeneration)]
    this.#announcedGeneration = generation
    this.#changed.clear()
    this.#flushedTo = to
    this.#keep({ from, to, messages, bytes: sizeOf(messages), atMs: this.#settings.nowMs() })
  }

  /**
   * The messages that follow a version, if every stream there gets the same.
   *
   * @returns undefined if there is nothing new, or if the version is too old: then {@link walk} leads on.
   */
  shared(version: number): Iterator<Outgoing> | undefined {
    const run = this.#shared.get(version)
    return run === undefined || this.#isOld(run) ? undefined : this.#messagesOf(run)
  }

  /** A stream may take them one by one, and slowly: what would be told too late is told afresh. */
  *#messagesOf(run: Run): Generator<Outgoing> {
    for (const message of run.messages) {
      if (this.#isOld(run)) return yield* this.walk(run.from)
      yield message
    }
  }

  #isOld({ atMs }: Run): boolean {
    return this.#settings.nowMs() - atMs > sharedForMs
  }

  /** What changed after a version, encoded for one stream while it is sent. Always at least one message. */
  *walk(version: number): Generator<Outgoing> {
    const { position: target } = this.#state
    const step = { kind: 'DELTA', from: version, to: version, target, more: true } as const
    const rest = yield* this.#chunks(step, both(this.#state.leftovers(), this.#state.changedAfter(version)))
    // What changed while this was sent has come by now, or is in `rest`: nothing may be yielded in between.
    this.flush()
    yield* this.#last(step, { ...step, more: false, to: this.version }, rest)
  }

  /** The full state, tombstones included, encoded for one stream while it is sent. */
  *full(rolledBack: boolean): Generator<Outgoing> {
    const { position: target } = this.#state
    const step = { kind: 'FULL_MORE', from: -1, to: -1, target, rolledBack, more: true } as const
    yield this.#message({ ...step, kind: 'FULL_FIRST', fullEntries: this.#state.size }, noEntries)
    const rest = yield* this.#chunks(step, this.#state.all())
    this.flush()
    yield* this.#last(step, { ...step, more: false, kind: 'FULL_LAST', to: this.version }, rest)
  }

  /** A message without entries that tells an idle stream how old the adapter's knowledge of the log is. */
  heartbeat(): Outgoing {
    const to = this.version
    const step = { kind: 'DELTA', from: to, to, target: to } as const
    return this.#message(step, noEntries, this.#state.claimSets.generation !== this.#announcedGeneration, '')
  }

  /** Passes over what changed without encoding it; for when no stream needs it, or all begin anew. */
  skip(): void {
    this.#announcedGeneration = -1
    this.#changed.clear()
    this.#shared.clear()
    this.#sharedBytes = 0
    this.#flushedTo = this.#state.position
  }

  *#delta(from: number, changed: Iterable<Sendable>, withSets: boolean): Generator<Outgoing> {
    const to = this.#state.position
    const step = { kind: 'DELTA', from, to: from, target: to, more: true } as const
    const rest = yield* this.#chunks(step, changed, withSets)
    yield* this.#last(step, { ...step, more: false, to }, rest, withSets)
  }

  /** Messages on the way, of as many entries as fit; returns what is left. */
  *#chunks(step: Step, keys: Iterable<Sendable>, withSets = true): Generator<Outgoing, Parts> {
    const parts: Parts = { logged: new EntryPacker(), leftovers: new EntryPacker() }
    for (const key of keys) {
      const leftovers = key.hasLeftovers
      const packer = leftovers ? parts.leftovers : parts.logged
      key.packInto(packer)
      if (packer.count < this.#entriesPerMessage) continue
      // What may have been lost comes first: it only strengthens, whatever the log said of its key since.
      if (!leftovers && parts.leftovers.count > 0)
        yield this.#message({ ...step, leftovers: true }, parts.leftovers.take(), withSets)
      yield this.#message({ ...step, leftovers }, packer.take(), withSets)
    }
    return parts
  }

  /** The last messages of a run; all are encoded before the first is sent. */
  #last(step: Step, last: Step, { logged, leftovers }: Parts, withSets = true): readonly Outgoing[] {
    const kept =
      leftovers.count === 0 ? [] : [this.#message({ ...step, leftovers: true }, leftovers.take(), withSets)]
    return [...kept, this.#message(last, logged.take(), withSets)]
  }

  #message(step: Step, entries: Buffer, withSets = true, nonce = String(++this.#nonce)): Outgoing {
    const { sets, generation } = this.#state.claimSets
    // Pruning changes the sets without a new version: whoever was told so now must be told again by what is shared.
    if (withSets && generation !== this.#announcedGeneration) this.#announcedGeneration = -1
    const value = revocationBatchCodec.encode({
      ...step,
      from: wireVersion(step.from),
      to: wireVersion(step.to),
      target: wireVersion(step.target),
      format: batchFormat,
      derivation,
      epoch: this.#state.epoch ?? '',
      toDigest: step.to === this.#state.position ? digestToBytes(this.#state.digest) : Buffer.alloc(0),
      toleranceS: this.#settings.toleranceSeconds,
      logAgeMs: this.#settings.logAgeMs(),
      maxTokenLifetimeS: this.#state.lifetimes.seconds,
      earlierLifetimes: this.#state.lifetimes.earlier.map(({ until, seconds }) => ({
        untilS: until,
        seconds,
      })),
      claimSets: withSets ? sets.map(set => ({ names: [...set.names], cut: set.cut })) : [],
      claimSetGeneration: generation,
      entries,
    })
    const version = String(wireVersion(step.to))
    const bytes = deltaResponseCodec.encode({
      systemVersionInfo: version,
      nonce,
      resources: [{ resource: { type_url: revocationBatchTypeUrl, value } }],
    })
    return { bytes, nonce, to: step.to }
  }

  #keep(run: Run): void {
    this.#sharedBytes -= this.#shared.get(run.from)?.bytes ?? 0
    this.#shared.delete(run.from)
    this.#shared.set(run.from, run)
    this.#sharedBytes += run.bytes
    const limit = this.#settings.sharedBytesLimit ?? 32 * 2 ** 20
    for (const [from, oldest] of this.#shared) {
      if (this.#sharedBytes <= limit) return
      this.#shared.delete(from)
      this.#sharedBytes -= oldest.bytes
    }
  }
}

const noEntries = Buffer.alloc(0)

function* both(one: Iterable<Sendable>, other: Iterable<Sendable>): Generator<Sendable> {
  yield* one
  yield* other
}

const sendable = (key: string, { entry, hasLeftovers }: LiveEntry): Sendable => ({
  hasLeftovers,
  packInto: packer => packer.add(...wordsOf(key), entry.expiresAt, entry.issuedBefore),
})

const sizeOf = (messages: readonly Outgoing[]): number =>
  messages.reduce((sum, message) => sum + message.bytes.length, 0)

/** Before the first entry of a log there is version 0. */
const wireVersion = (position: number): number => Math.max(0, position)
