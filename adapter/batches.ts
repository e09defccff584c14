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
import { batchFormat, type Entry, packEntries, packedEntryBytes } from '../revocation/entries.ts'
import { derivation, keyFromText } from '../revocation/key.ts'
import type { LiveKey } from '../revocation/live-key.ts'
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
}

type Pair = readonly [key: string, live: LiveKey]

/** The source of all messages of an adapter. */
export class Batches {
  readonly #state: LiveState
  readonly #settings: BatchSettings
  readonly #entriesPerMessage: number
  readonly #changed = new Map<string, LiveKey>()
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
    const messages = [...this.#delta(from, this.#changed, generation !== this.#announcedGeneration)]
    this.#announcedGeneration = generation
    this.#changed.clear()
    this.#flushedTo = to
    this.#keep({ from, to, messages, bytes: sizeOf(messages) })
  }

  /**
   * The messages that follow a version, if every stream there gets the same.
   *
   * @returns undefined if there is nothing new, or if the version is too old: then {@link walk} leads on.
   */
  shared(version: number): Iterator<Outgoing> | undefined {
    return this.#shared.get(version)?.messages[Symbol.iterator]()
  }

  /** What changed after a version, encoded for one stream while it is sent. Always at least one message. */
  *walk(version: number): Generator<Outgoing> {
    const target = this.#state.position
    let entries: Entry[] = []
    for (const pair of this.#state.changedAfter(version)) {
      entries.push(entryOf(pair))
      if (entries.length < this.#entriesPerMessage) continue
      yield this.#message(
        { kind: 'DELTA', from: version, to: version, target, rolledBack: false },
        entries,
        true,
      )
      entries = []
    }
    this.flush()
    yield this.#message(
      { kind: 'DELTA', from: version, to: this.version, target, rolledBack: false },
      entries,
      true,
    )
  }

  /** The full state, tombstones included, encoded for one stream while it is sent. */
  *full(rolledBack: boolean): Generator<Outgoing> {
    const target = this.#state.position
    const step = { from: -1, to: -1, target, rolledBack } as const
    yield this.#message({ kind: 'FULL_FIRST', ...step }, [], true)
    let entries: Entry[] = []
    for (const pair of this.#state.all()) {
      entries.push(entryOf(pair))
      if (entries.length < this.#entriesPerMessage) continue
      yield this.#message({ kind: 'FULL_MORE', ...step }, entries, true)
      entries = []
    }
    // What changed while this was sent has come by now, or is in `entries`: nothing may be yielded in between.
    this.flush()
    yield this.#message({ kind: 'FULL_LAST', ...step, to: this.version }, entries, true)
  }

  /** A message without entries that tells an idle stream how old the adapter's knowledge of the log is. */
  heartbeat(): Outgoing {
    const to = this.version
    const step = { kind: 'DELTA', from: to, to, target: to, rolledBack: false } as const
    return this.#message(step, [], this.#state.claimSets.generation !== this.#announcedGeneration, '')
  }

  /** Passes over what changed without encoding it; for when no stream needs it, or all begin anew. */
  skip(): void {
    this.#announcedGeneration = -1
    this.#changed.clear()
    this.#shared.clear()
    this.#sharedBytes = 0
    this.#flushedTo = this.#state.position
  }

  *#delta(from: number, changed: Iterable<Pair>, withSets: boolean): Generator<Outgoing> {
    const to = this.#state.position
    const pairs = [...changed]
    for (let start = 0; start === 0 || start < pairs.length; start += this.#entriesPerMessage) {
      const entries = pairs.slice(start, start + this.#entriesPerMessage).map(entryOf)
      const isLast = start + this.#entriesPerMessage >= pairs.length
      const reached = isLast ? to : from
      yield this.#message(
        { kind: 'DELTA', from, to: reached, target: reached, rolledBack: false },
        entries,
        withSets,
      )
    }
  }

  #message(
    step: Required<Pick<RevocationBatchFields, 'kind' | 'rolledBack'>> & {
      from: number
      to: number
      target: number
    },
    entries: readonly Entry[],
    withSets: boolean,
    nonce = String(++this.#nonce),
  ): Outgoing {
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
      entries: packEntries(entries),
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

const entryOf = ([key, live]: Pair): Entry => ({ key: keyFromText(key), ...live.entry })

const sizeOf = (messages: readonly Outgoing[]): number =>
  messages.reduce((sum, message) => sum + message.bytes.length, 0)

/** Before the first entry of a log there is version 0. */
const wireVersion = (position: number): number => Math.max(0, position)
