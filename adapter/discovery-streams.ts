/**
 * The discovery streams that are open, of all protocols: who may open one, and when they are told what is new.
 *
 * @module
 */
import { status } from '@grpc/grpc-js'
import type { LogFollower } from '../event-log/follow.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { peerIdentity } from '../runtime/tls/peer-identity.ts'
import type { Fleet } from './fleet.ts'
import type { Peer } from './fleet-node.ts'
import {
  type DiscoveryStream,
  endCall,
  type Refusal,
  type ServedSession,
  type ServedStream,
  serveStream,
} from './stream-shell.ts'

/** What surrounds all streams. */
export interface DiscoveryStreamsOptions {
  readonly follower: LogFollower
  readonly fleet: Fleet
  /** Streams end after this time, give or take 10 %. */
  readonly streamMaxAgeMs: number
  readonly streamsLimit: number
  /** See `StreamSurroundings`; default 512 KiB. */
  readonly unwrittenBytesLimit?: number
  readonly logger: Logger
  /** Default: this machine's. */
  readonly clock?: Clock
  /** 0 to 1; default Math.random. */
  readonly random?: () => number
}

/** What the streams of a protocol share: what is new, encoded once. */
export interface SharedMessages {
  /** Encodes what is new. */
  flush(): void
  /** Passes over what is new: no stream needs it. */
  skip(): void
}

/** The open streams of a protocol. */
export interface StreamKind {
  readonly messages: SharedMessages
  readonly open: ReadonlySet<ServedStream>
}

/** The streams of an adapter. */
export interface DiscoveryStreams {
  /** Adds a protocol. */
  kind(messages: SharedMessages): StreamKind
  /** Why nothing can be answered now, as a gRPC status; undefined if it can. */
  refusal(): Refusal | undefined
  /** Serves a stream, or refuses it. */
  serve<Request>(
    kind: StreamKind,
    call: DiscoveryStream<Request>,
    createSession: () => ServedSession<Request>,
  ): void
  /** Lets all streams look soon whether something is due. */
  schedulePush(): void
  /** Ends all streams with UNAVAILABLE. */
  close(): void
}

const tickMs = 250
const defaultUnwrittenBytesLimit = 512 * 1024

/** Pause between pushes: none up to 16 streams, then growing to 100 ms. */
const pushPauseMs = (streams: number): number => (streams <= 16 ? 0 : Math.min(100, streams / 5))

/** Creates the set, which is empty. */
export function createDiscoveryStreams(options: DiscoveryStreamsOptions): DiscoveryStreams {
  const { follower, fleet, logger, clock = systemClock, random = Math.random } = options
  const kinds = new Map<StreamKind, Set<ServedStream>>()
  const count = () => [...kinds.values()].reduce((sum, { size }) => sum + size, 0)
  let stopPush: (() => void) | undefined

  const push = () => {
    stopPush = undefined
    for (const { messages, open } of kinds.keys()) {
      if (open.size === 0 || !follower.complete) messages.skip()
      else messages.flush()
      for (const stream of open) stream.pump()
    }
  }
  const schedulePush = () => {
    stopPush ??= clock.after(pushPauseMs(count()), push)
  }
  const unsubscribe = follower.subscribe(schedulePush)
  const stopTicking = clock.every(tickMs, schedulePush)

  const refusal = () => {
    if (!follower.complete)
      return { code: status.UNAVAILABLE, details: 'still reading the event log; try again' }
    if (count() >= options.streamsLimit)
      return { code: status.RESOURCE_EXHAUSTED, details: 'adapter.maxStreams reached' }
    return undefined
  }

  return {
    kind: messages => {
      const open = new Set<ServedStream>()
      const kind = { messages, open }
      kinds.set(kind, open)
      return kind
    },
    refusal,
    serve: (kind, call, createSession) => {
      const refused = refusal()
      if (refused !== undefined) {
        endCall(call, refused.code, refused.details)
        return
      }
      const session = createSession()
      const open = kinds.get(kind)
      const from = peerOf(call)
      const stream = serveStream(call, session, {
        logger,
        from,
        maxAgeMs: options.streamMaxAgeMs * (0.9 + random() * 0.2),
        unwrittenBytesLimit: options.unwrittenBytesLimit ?? defaultUnwrittenBytesLimit,
        clock,
        onIdentified: () => fleet.add(session, from, clock.monotonicMs()),
        onAnswered: fleet.answered,
        onClosed: () => {
          open?.delete(stream)
          fleet.remove(session, clock.monotonicMs())
        },
      })
      open?.add(stream)
    },
    schedulePush,
    close: () => {
      stopTicking()
      stopPush?.()
      unsubscribe()
      for (const open of kinds.values()) {
        for (const stream of open) stream.end('the adapter is shutting down; open a stream at another one')
      }
    },
  }
}

const peerOf = (call: Pick<DiscoveryStream<never>, 'getPeer' | 'getAuthContext'>): Peer => ({
  address: call.getPeer(),
  identity: peerIdentity(call.getAuthContext().sslPeerCertificate),
})
