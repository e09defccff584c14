/**
 * Ties a stream session to its gRPC call: what the call receives goes in, what the session says is written as long as
 * the connection takes it.
 *
 * @module
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { RescindError } from '../revocation/error.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Outgoing } from './batches.ts'
import type { FleetStream } from './fleet.ts'
import type { Peer } from './fleet-node.ts'

/** A discovery stream, as far as it is used; messages out are bytes that are encoded already. */
export type DiscoveryStream<Request> = Pick<
  ServerDuplexStream<Request, Buffer>,
  'getPeer' | 'getAuthContext' | 'write' | 'on' | 'emit'
>

/** One side of a stream as a state machine. Times are monotonic milliseconds. */
export interface ServedSession<Request> extends FleetStream {
  /** @throws RescindError ERR_REQUEST_INVALID for a request that cannot be answered. */
  receive(request: Request, nowMs: number): void
  /** The next message to write, if one is due; `working` if it is to be asked again in the next turn of the event loop. */
  next(nowMs: number): Outgoing | 'working' | undefined
}

/** What surrounds a stream. */
export interface StreamSurroundings {
  readonly logger: Logger
  readonly from: Peer
  /** The stream ends after this time. */
  readonly maxAgeMs: number
  /** Bytes that the connection has not taken at which the stream waits; one message may go beyond. */
  readonly unwrittenBytesLimit: number
  readonly clock: Clock
  /** The enforcer has said who it is. */
  readonly onIdentified: () => void
  /** The enforcer has answered. */
  readonly onAnswered: () => void
  readonly onClosed: () => void
}

const firstRequestMs = 10_000
/** What gRPC keeps for a message that waits, beside its bytes. */
const messageCostBytes = 512

/** A stream that is served. */
export interface ServedStream {
  /** Writes the messages that are due. */
  pump(): void
  /** Ends it with UNAVAILABLE. */
  end(details: string): void
}

/** Serves a stream until it ends. It never ends with OK: Choreo Connect's enforcers would not come back. */
export function serveStream<Request>(
  call: DiscoveryStream<Request>,
  session: ServedSession<Request>,
  surroundings: StreamSurroundings,
): ServedStream {
  const { logger, from, clock } = surroundings
  /** Nothing that a stream asks for, or that goes wrong on its way, may reach others. */
  const guarded = (act: () => void) => {
    try {
      act()
    } catch (error) {
      const { code, details } = refusalFor(error, logger)
      endWith(code, details)
    }
  }
  const writer = createWriter(call, session, surroundings, guarded)
  let closed = false

  const receive = (request: Request) => {
    if (writer.ended) return
    const before = session.status
    session.receive(request, clock.monotonicMs())
    const after = session.status
    if (before.node === undefined) {
      surroundings.onIdentified()
      logger.info({ ...after.node, ...from }, 'enforcer connected')
    } else surroundings.onAnswered()
    if (after.nackError !== undefined && after.lastNack?.atMs !== before.lastNack?.atMs) {
      logger.error({ ...after.node, ...from, problem: after.nackError }, 'an enforcer refused a batch')
    }
    writer.pump()
  }
  const endWith = (code: status, details: string) => {
    if (!writer.ended) endCall(call, code, details)
  }
  const end = (details: string) => endWith(status.UNAVAILABLE, details)
  const stopAwaiting = clock.after(firstRequestMs, () => {
    if (session.status.node === undefined) endWith(status.DEADLINE_EXCEEDED, 'no first request')
  })
  const stopAgeing = clock.after(surroundings.maxAgeMs, () => end('maximum stream age; open another stream'))
  const close = () => {
    if (closed) return
    closed = true
    writer.end()
    stopAwaiting()
    stopAgeing()
    surroundings.onClosed()
    if (session.status.node !== undefined)
      logger.info({ ...session.status.node, ...from }, 'enforcer disconnected')
  }

  call.on('data', (request: Request) => guarded(() => receive(request)))
  call.on('end', () => end('the stream was ended by the enforcer'))
  call.on('error', writer.end)
  for (const event of ['cancelled', 'close', 'finish']) call.on(event, close)
  return { pump: writer.pump, end }
}

/** Writes what a session has to say, as long as the connection takes it. */
function createWriter<Request>(
  call: DiscoveryStream<Request>,
  session: ServedSession<Request>,
  { unwrittenBytesLimit, clock }: StreamSurroundings,
  guarded: (act: () => void) => void,
) {
  let unwrittenBytes = 0
  let stopWorking: (() => void) | undefined
  let ended = false

  const writeDue = () => {
    while (unwrittenBytes < unwrittenBytesLimit && !ended && stopWorking === undefined) {
      const message = session.next(clock.monotonicMs())
      if (message === undefined) return
      if (message === 'working') workOn()
      else write(message.bytes)
    }
  }
  const pump = () => guarded(writeDue)
  /** gRPC's own limit counts messages, whatever their size. */
  const write = (bytes: Buffer) => {
    const cost = bytes.length + messageCostBytes
    unwrittenBytes += cost
    call.write(bytes, () => {
      unwrittenBytes -= cost
      pump()
    })
  }
  const workOn = () => {
    stopWorking = clock.after(0, () => {
      stopWorking = undefined
      pump()
    })
  }
  return {
    pump,
    /** Nothing more is written; the stream may still hold what its peer does not read. */
    get ended() {
      return ended
    },
    end: () => {
      ended = true
      stopWorking?.()
    },
  }
}

/** Something that can be ended with an error status. */
type Call = Pick<ServerDuplexStream<never, never>, 'emit'>

/** Ends a call with an error status. */
export function endCall(call: Call, code: status, details: string): void {
  call.emit('error', { code, details })
}

/** Why there is no answer, as a gRPC status. */
export interface Refusal {
  readonly code: status
  readonly details: string
}

/** What a call that failed is told: what a person can put right, and nothing of the program. */
export function refusalFor(error: unknown, logger: Logger): Refusal {
  if (error instanceof RescindError) return { code: status.INVALID_ARGUMENT, details: error.message }
  logger.error({ err: error }, 'a discovery request could not be handled')
  return { code: status.INTERNAL, details: 'internal error' }
}
