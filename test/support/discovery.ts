/**
 * An adapter's and an enforcer's side of discovery in one process, without I/O: messages are passed by hand, through
 * the codecs, so that a test decides what happens between any two of them.
 *
 * @module
 */
import { Batches } from '../../adapter/batches.ts'
import { StreamSession } from '../../adapter/stream-session.ts'
import type { Reaction } from '../../enforcer/discovery/feed.ts'
import { Subscription, type SubscriptionOptions } from '../../enforcer/discovery/subscription.ts'
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  type RevocationBatchFields,
  type RevocationBatchMessage,
  revocationBatchCodec,
  revocationBatchTypeUrl,
} from '../../proto/wire.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { tableRejects } from './decide.ts'
import { digestAt, type SomeToken } from './revocations.ts'

/** Time as the test sets it. */
export interface Clock {
  /** Monotonic milliseconds. */
  ms: number
  /** Wall clock, seconds. */
  seconds: number
}

/** An adapter without log and network. */
export interface AdapterSide {
  readonly epoch: string
  readonly state: LiveState
  readonly batches: Batches
  /** The events in the order of their positions, from `firstPosition` on. */
  readonly events: readonly LogEvent[]
  /** When the end of the log was last confirmed, monotonic milliseconds. */
  confirmedAtMs: number
  complete: boolean
  restarts: number
  rollbacks: number
  /** Appends events; they are pushed with the next `flush`. */
  append(...events: readonly LogEvent[]): void
  flush(): void
  /** Forgets what expired. */
  prune(expiredAt: number): void
  session(): StreamSession
}

/** How an adapter differs from the default. */
export interface AdapterSideOptions {
  readonly epoch?: string
  readonly toleranceSeconds?: number
  /** Entries in one message; default 3. */
  readonly entriesPerMessage?: number
  readonly sharedBytesLimit?: number
  /** Where the log begins, as if what was before had been trimmed; default 1. */
  readonly firstPosition?: number
  /** Distinguishes the digests of this log from those of others. */
  readonly salt?: bigint
}

/** Creates an adapter that has read nothing. */
export const createAdapterSide = (clock: Clock, options: AdapterSideOptions = {}): AdapterSide => {
  const { epoch = 'epoch-1', salt = 0n, firstPosition = 1, sharedBytesLimit } = options
  const state = new LiveState()
  const events: LogEvent[] = []
  state.epoch = epoch
  const batches = new Batches(state, {
    toleranceSeconds: options.toleranceSeconds ?? 0,
    logAgeMs: () => clock.ms - self.confirmedAtMs,
    nowMs: () => clock.ms,
    entriesBytesLimit: (options.entriesPerMessage ?? 3) * 24,
    ...(sharedBytesLimit === undefined ? {} : { sharedBytesLimit }),
  })
  const self: AdapterSide = {
    epoch,
    state,
    batches,
    events,
    confirmedAtMs: clock.ms,
    complete: true,
    restarts: 0,
    rollbacks: 0,
    append: (...more) => {
      for (const event of more) {
        const position = firstPosition + events.length
        events.push(event)
        state.apply(position, digestAt(position) + salt, event)
      }
    },
    flush: () => batches.flush(),
    prune: expiredAt => {
      while (!state.pruneStep(expiredAt, 100));
    },
    session: () => new StreamSession({ state, batches, follower: self, random: () => 1 }),
  }
  return self
}

/** An enforcer's subscription; `revocationsLimit` is out of the way unless given. */
export const createEnforcerSide = (options: Partial<SubscriptionOptions> = {}): Subscription =>
  new Subscription({ label: 'label', instance: 'instance', revocationsLimit: 1_000_000, ...options })

/** A stream between the two, with a queue in each direction. */
export interface Link {
  readonly session: StreamSession
  readonly enforcer: Subscription
  /** What the adapter has written and the enforcer has not read: encoded responses. */
  readonly down: Buffer[]
  /** What the enforcer has written and the adapter has not read: encoded requests. */
  readonly up: Buffer[]
  /** Lets the adapter write one message, if one is due. */
  write(): Buffer | undefined
  /** Lets the enforcer read one message and answer it. */
  read(): Reaction | undefined
  /** Lets the adapter read one answer. */
  answer(): boolean
  /** All of these in turn until nothing is left to do; returns the batches that were read. */
  settle(): RevocationBatchMessage[]
}

/** Opens a stream: the first request is read by the adapter at once. */
export const connect = (clock: Clock, adapter: AdapterSide, enforcer: Subscription): Link => {
  const session = adapter.session()
  const down: Buffer[] = []
  const up: Buffer[] = []
  session.receive(decodeRequest(enforcer.open()), clock.ms)
  const link: Link = {
    session,
    enforcer,
    down,
    up,
    write: () => {
      const message = session.next(clock.ms)
      if (message !== undefined) down.push(message.bytes)
      return message?.bytes
    },
    read: () => {
      const bytes = down.shift()
      if (bytes === undefined) return undefined
      const reaction = receive(enforcer, deltaResponseCodec.decode(bytes), clock)
      if (reaction.request !== undefined) up.push(deltaRequestCodec.encode(reaction.request))
      return reaction
    },
    answer: () => {
      const bytes = up.shift()
      if (bytes !== undefined) session.receive(deltaRequestCodec.decode(bytes), clock.ms)
      return bytes !== undefined
    },
    settle: () => {
      const batches: RevocationBatchMessage[] = []
      for (;;) {
        while (link.write() !== undefined);
        const [next] = down
        if (next === undefined && up.length === 0) return batches
        batches.push(...batchesIn(next))
        link.read()
        while (link.answer());
      }
    },
  }
  return link
}

/** Lets an enforcer take a whole response. */
export const receive = (
  enforcer: Subscription,
  response: DeltaResponseMessage,
  { ms, seconds }: Clock,
): Reaction => {
  const steps = enforcer.receive(response, ms, seconds)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Opens a stream, and then lets the adapter read the end of its log: that it is still there is certain. */
export const connectAfresh = (clock: Clock, adapter: AdapterSide, enforcer: Subscription): Link => {
  const link = connect(clock, adapter, enforcer)
  clock.ms += 1
  adapter.confirmedAtMs = clock.ms
  return link
}

/** An adapter that has read these events and encoded them. */
export const adapterWith = (clock: Clock, events: readonly LogEvent[], options?: AdapterSideOptions) => {
  const adapter = createAdapterSide(clock, options)
  adapter.append(...events)
  adapter.flush()
  return adapter
}

/** An enforcer that has read all that an adapter with these events sends. */
export const enforcerWith = (clock: Clock, events: readonly LogEvent[], options?: AdapterSideOptions) => {
  const enforcer = createEnforcerSide()
  connectAfresh(clock, adapterWith(clock, events, options), enforcer).settle()
  return enforcer
}

/** A request as the adapter reads it. */
export const decodeRequest = (request: DeltaRequest) =>
  deltaRequestCodec.decode(deltaRequestCodec.encode(request))

/** Whether an encoded response is the empty one of an adapter that has nothing to say yet. */
export const isSignOfLife = (bytes: Buffer): boolean =>
  deltaResponseCodec.decode(bytes).resources.length === 0

const batchesIn = (bytes: Buffer | undefined): RevocationBatchMessage[] =>
  bytes === undefined || isSignOfLife(bytes) ? [] : [batchIn(bytes)]

/** The batch in an encoded response. */
export const batchIn = (bytes: Buffer): RevocationBatchMessage =>
  revocationBatchCodec.decode(deltaResponseCodec.decode(bytes).resources[0]?.resource?.value as Buffer)

/** A response with a batch of its own. */
export const responseWith = (batch: RevocationBatchFields, nonce = 'n') =>
  deltaResponseCodec.decode(
    deltaResponseCodec.encode({
      nonce,
      resources: [
        { resource: { type_url: revocationBatchTypeUrl, value: revocationBatchCodec.encode(batch) } },
      ],
    }),
  )

/** Whether an enforcer rejects a token as revoked. */
export const enforces = ({ snapshot }: Subscription, token: SomeToken, nowSeconds: number): boolean =>
  tableRejects(snapshot.table, snapshot.claimSets, token, nowSeconds - snapshot.toleranceSeconds)

/** Spoils the length of the entries in an encoded response, so that an enforcer refuses it. */
export const spoil = (bytes: Buffer): Buffer => {
  if (isSignOfLife(bytes)) return bytes
  const response = deltaResponseCodec.decode(bytes)
  const value = Buffer.concat([response.resources[0]?.resource?.value as Buffer, Buffer.of(0x7a, 1, 0)])
  return deltaResponseCodec.encode({
    nonce: response.nonce,
    resources: [{ resource: { type_url: revocationBatchTypeUrl, value } }],
  })
}
