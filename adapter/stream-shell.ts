/**
 * Ties a stream session to its gRPC call: what the call receives goes in, what the session says is written as long as
 * the connection takes it.
 *
 * @module
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { DeltaRequestMessage } from '../proto/wire.ts'
import { RescindError } from '../revocation/error.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { StreamSession } from './stream-session.ts'

/** A delta stream, as far as it is used; messages out are bytes that are encoded already. */
export type DeltaStream = Pick<
  ServerDuplexStream<DeltaRequestMessage, Buffer>,
  'getPeer' | 'write' | 'end' | 'on' | 'emit'
>

/** What surrounds a stream. */
export interface StreamSurroundings {
  readonly logger: Logger
  /** The stream ends after this time. */
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly onClosed: () => void
}

/** Serves a stream until it ends; returns what writes the messages that are due. */
export function serveStream(
  call: DeltaStream,
  session: StreamSession,
  surroundings: StreamSurroundings,
): () => void {
  const { logger, clock } = surroundings
  const peer = call.getPeer()
  let writable = true
  let closed = false

  const pump = () => {
    while (writable && !closed) {
      const message = session.next(clock.monotonicMs())
      if (message === undefined) return
      writable = call.write(message.bytes)
    }
  }
  const receive = (request: DeltaRequestMessage) => {
    const before = session.status
    session.receive(request, clock.monotonicMs())
    const after = session.status
    if (before.node === undefined) logger.info({ ...after.node, peer }, 'enforcer connected')
    if (after.nackError !== undefined && before.nackError !== after.nackError) {
      logger.warn({ ...after.node, peer, error: after.nackError }, 'enforcer refused a batch')
    }
    pump()
  }
  const stopAgeing = clock.after(surroundings.maxAgeMs, () =>
    endStream(call, status.UNAVAILABLE, 'maximum stream age; open another stream'),
  )
  const close = () => {
    if (closed) return
    closed = true
    stopAgeing()
    surroundings.onClosed()
    if (session.status.node !== undefined)
      logger.info({ ...session.status.node, peer }, 'enforcer disconnected')
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
