/**
 * An adapter's side of the state-of-the-world protocol without I/O: what is on disk, and when, a test decides.
 *
 * @module
 */
import { createSotwBatches, type SotwBatches } from '../../adapter/sotw-batches.ts'
import { createSotwSession, type SotwSession } from '../../adapter/sotw-session.ts'
import { CheckpointChanges } from '../../event-log/checkpoint-changes.ts'
import type { PlacedText } from '../../event-log/checkpoint-texts.ts'
import {
  revokedTokenTypeUrl,
  type SotwRequest,
  type SotwResponseMessage,
  sotwRequestCodec,
  sotwResponseCodec,
} from '../../proto/wire.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { tokensIn } from './choreo-connect-enforcer.ts'
import type { Clock } from './discovery.ts'
import { digestAt } from './revocations.ts'

/** How an adapter differs from the default. */
export interface SotwSideOptions {
  readonly messageBytesLimit?: number
  readonly ringBytesLimit?: number
  /** Default: every step has a turn of its own. */
  readonly nextTurn?: (action: () => void) => void
}

/** An adapter without log and network. */
export interface SotwSide {
  readonly state: LiveState
  readonly batches: SotwBatches
  complete: boolean
  restarts: number
  /** While true, what is appended does not reach the disk. */
  diskIsSlow: boolean
  /** Texts that were read in the largest step so far. */
  readonly largestStep: number
  /** How often texts were read. */
  readonly reads: number
  /** Appends events and encodes them for the streams. */
  append(...events: readonly LogEvent[]): void
  /** Appends events of which the streams are not told, as when none is open. */
  appendUnheard(...events: readonly LogEvent[]): void
  session(): SotwSession
}

/** Creates an adapter that has read nothing. */
export function createSotwSide(clock: Clock, options: SotwSideOptions = {}): SotwSide {
  const state = new LiveState()
  state.epoch = 'epoch-1'
  const changes = new CheckpointChanges()
  state.onTouched = (key, before, after) => changes.touch(key, before, after)
  let disk: readonly PlacedText[] = []
  let largestStep = 0
  let reads = 0
  let tickets: { done: boolean }[] = []

  const write = () => {
    disk = Array.from(changes.texts, ([sequence, text]) => ({ sequence, text }))
    for (const ticket of tickets) ticket.done = true
    tickets = []
  }
  const apply = (event: LogEvent) => {
    const position = Math.max(1, state.position + 1)
    const digest = digestAt(position)
    state.apply(position, digest, event)
    changes.note({ position, digest }, state.sequence, { event })
  }
  const batches = createSotwBatches({
    state,
    texts: {
      written: () => {
        const ticket = { done: false }
        tickets.push(ticket)
        if (!self.diskIsSlow) write()
        return ticket
      },
      after: (after, limit) => {
        const slice = disk.filter(({ sequence }) => sequence > after).slice(0, limit)
        largestStep = Math.max(largestStep, slice.length)
        reads += 1
        return slice
      },
    },
    toleranceSeconds: 0,
    nowSeconds: () => clock.seconds,
    nextTurn: action => action(),
    ...options,
  })
  let slow = false
  const self: SotwSide = {
    state,
    batches,
    complete: true,
    restarts: 0,
    get diskIsSlow() {
      return slow
    },
    set diskIsSlow(isSlow) {
      slow = isSlow
      if (!slow) write()
    },
    get largestStep() {
      return largestStep
    },
    get reads() {
      return reads
    },
    append: (...events) => {
      for (const event of events) {
        apply(event)
        batches.add({ event })
      }
      batches.flush()
    },
    appendUnheard: (...events) => events.forEach(apply),
    session: () => createSotwSession({ batches, follower: self, random: () => 1 }),
  }
  return self
}

/** A stream on which a client collects tokens. */
export interface SotwLink {
  readonly session: SotwSession
  /** jti and expiry in milliseconds. */
  readonly tokens: ReadonlyMap<string, number>
  /** The last response. */
  readonly last: SotwResponseMessage | undefined
  /** Lets the adapter take one step; the message, if it led to one. */
  step(): Buffer | undefined
  /** Sends an answer to a message. */
  answer(request: SotwRequest): void
  /** Lets the adapter write all that is due, ACKs it if `acks`, and tells how many messages there were. */
  settle(options?: { acks?: boolean }): number
}

const node = { id: 'label', metadata: { fields: { instanceIdentifier: { stringValue: 'instance' } } } }
const stepsLimit = 10_000

/** The first request of a client that holds nothing. */
export const firstSotwRequest: SotwRequest = { node, typeUrl: revokedTokenTypeUrl }

/** A request as the adapter reads it. */
export const decodeSotwRequest = (request: SotwRequest) =>
  sotwRequestCodec.decode(sotwRequestCodec.encode(request))

/** Opens a stream: the first request is read at once. */
export function connectSotw(clock: Clock, adapter: SotwSide): SotwLink {
  const session = adapter.session()
  const tokens = new Map<string, number>()
  let last: SotwResponseMessage | undefined
  session.receive(decodeSotwRequest(firstSotwRequest), clock.ms)
  const answer = (request: SotwRequest) => session.receive(decodeSotwRequest(request), clock.ms)
  const take = (bytes: Buffer) => {
    last = sotwResponseCodec.decode(bytes)
    for (const { jti, expirytime } of tokensIn(last)) tokens.set(jti, expirytime)
    return last
  }
  return {
    session,
    tokens,
    get last() {
      return last
    },
    step: () => {
      const next = session.next(clock.ms)
      if (next === undefined || next === 'working') return undefined
      take(next.bytes)
      return next.bytes
    },
    answer,
    settle: ({ acks = true } = {}) => {
      let messages = 0
      for (let steps = 0; steps < stepsLimit; steps++) {
        const next = session.next(clock.ms)
        if (next === undefined) return messages
        if (next === 'working') continue
        messages += 1
        const { versionInfo, nonce } = take(next.bytes)
        if (acks) answer({ typeUrl: revokedTokenTypeUrl, versionInfo, responseNonce: nonce })
      }
      throw new Error('it never ends')
    },
  }
}
