/**
 * What brings an enforcer its revocations: a discovery protocol as a state machine, which the client ties to gRPC.
 *
 * @module
 */
import type { DeltaRequest } from '../../proto/wire.ts'
import type { Snapshot } from './snapshot.ts'

/** A version that was reached, for the log. `entries` are those of the last message. */
export interface Received {
  /** A position in the log; text of an adapter whose versions are none. */
  readonly version: number | string
  readonly entries: number
  readonly isFull: boolean
  readonly rolledBack: boolean
}

/** The answer to a response: a request to send, if any, and what happened. */
export interface Reaction<Request = DeltaRequest> {
  readonly request: Request | undefined
  /** When it is to be sent: so many milliseconds later; default at once. */
  readonly waitMs?: number
  /** Whether what is held is what the adapter had when it wrote the response, or newer. */
  readonly isCurrent?: boolean
  readonly received?: Received
  /** Why the batch was refused. */
  readonly problem?: string
}

/** How a protocol goes over the wire. */
export interface FeedProtocol<Request, Response> {
  readonly path: string
  encode(request: Request): Buffer
  decode(bytes: Buffer): Response
  readonly responseBytesLimit: number
  /** How often a connection is asked whether it still lives. */
  readonly keepaliveMs: number
  readonly keepaliveTimeoutMs: number
  /** A stream on which nothing came for so long is dead; undefined if there may be nothing to say. */
  readonly silenceLimitMs?: number
}

/** A subscription; it outlives streams. Times are monotonic milliseconds unless they say otherwise. */
export interface Feed<Request, Response> {
  readonly protocol: FeedProtocol<Request, Response>
  readonly snapshot: Snapshot
  /** The first request of a stream. */
  open(): Request
  /** The stream's connection is up. */
  connected(nowMs: number): void
  /** The stream has ended. */
  closed(nowMs: number): void
  /** The last request of a stream of an enforcer that has stopped serving, if there is such a thing. */
  goodbye(): Request | undefined
  /** Takes a response, to work on. */
  take(response: Response): void
  /** Whether there is something to work on. */
  readonly busy: boolean
  /**
   * Does a small part of the work.
   *
   * @param nowSeconds wall clock.
   * @returns the answer when a response is done.
   */
  work(nowMs: number, nowSeconds: number): Reaction<Request> | undefined
  /** Age of what is known; Infinity before anything is. */
  stalenessMs(nowMs: number): number
  /** Why checks cannot be answered; empty if they can. */
  notReadyReasons(nowMs: number): string[]
}

/** A feed of any protocol, for those who only look at what it brought. */
export type AnyFeed = Pick<Feed<never, never>, 'snapshot' | 'stalenessMs' | 'notReadyReasons'>
