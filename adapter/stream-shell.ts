/**
 * Ties a stream session to its gRPC call: what the call receives goes in, what the session says is written as long as
 * the connection takes it.
 *
 * @module
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { DeltaRequestMessage } from '../proto/wire.ts'
import { RescindError } from '../revocation/error.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Peer } from './fleet-node.ts'
import type { StreamSession } from './stream-session.ts'

/** A delta stream; messages out are bytes that are encoded already. */
export type DeltaStream = ServerDuplexStream<DeltaRequestMessage, Buffer>

/** What surrounds a stream. */
export interface StreamSurroundings {
  readonly logger: Logger
  readonly from: Peer
  /** The stream ends after this time, give or take 10 %. */
  readonly maxAgeMs: number
  /** The enforcer has said who it is. */
  readonly onIdentified: () => void
  readonly onClosed: () => void
}

/** Serves a stream until it ends; returns what writes the messages that are due. */
export function serveStream(
  call: DeltaStream,
  session: StreamSession,
  surroundings: StreamSurroundings,
): () => void {
  const { logger, from } = surroundings
  let writable = true
  let closed = false

  const pump = () => {
    while (writable && !closed) {
      const message = session.next(performance.now())
      if (message === undefined) return
      writable = call.write(message.bytes)
    }
  }
  const receive = (request: DeltaRequestMessage) => {
    const before = session.status
    session.receive(request, performance.now())
    const after = session.status
    if (before.node === undefined) {
      surroundings.onIdentified()
      logger.info({ ...after.node, ...from }, 'enforcer connected')
    }
    if (after.nackError !== undefined && before.nackError !== after.nackError) {
      logger.warn({ ...after.node, ...from, error: after.nackError }, 'enforcer refused a batch')
    }
    pump()
  }
  const age = setTimeout(
    () => endStream(call, status.UNAVAILABLE, 'maximum stream age; open another stream'),
    surroundings.maxAgeMs * (0.9 + Math.random() * 0.2),
  )
  const close = () => {
    if (closed) return
    closed = true
    clearTimeout(age)
    surroundings.onClosed()
    if (session.status.node !== undefined)
      logger.info({ ...session.status.node, ...from }, 'enforcer disconnected')
  }

  call.on('drain', () => {
    writable = true
    pump()
  })
  call.on('data', (request: DeltaRequestMessage) => {
    try {
      receive(request)
    } catch (error) {
      refuseRequest(call, error, logger)
    }
  })
  call.on('end', () => call.end())
  for (const event of ['cancelled', 'error', 'close', 'finish']) call.on(event, close)
  return pump
}

/** Ends a stream with an error status. */
export function endStream(call: DeltaStream, code: status, details: string): void {
  call.emit('error', { code, details })
}

function refuseRequest(call: DeltaStream, error: unknown, logger: Logger): void {
  if (error instanceof RescindError) {
    endStream(call, status.INVALID_ARGUMENT, error.message)
    return
  }
  logger.error({ err: error }, 'a discovery request could not be handled')
  endStream(call, status.INTERNAL, 'internal error')
}
