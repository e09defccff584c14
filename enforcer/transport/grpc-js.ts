/**
 * Serves checks over @grpc/grpc-js: bytes in, bytes out.
 *
 * @module
 */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { checkPath } from '../../proto/wire.ts'
import { RescindError } from '../../revocation/error.ts'
import { addHealthService, type Health } from '../../runtime/grpc-health.ts'
import { bindGrpcServer } from '../../runtime/grpc-server.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type Check, Undecided } from '../check/check.ts'

/** What a transport needs. */
export interface CheckTransportOptions {
  readonly address: string
  readonly check: Check
  readonly health: Health
  readonly logger: Logger
}

/** A transport that serves checks and health. */
export interface CheckTransport {
  readonly port: number
  /** Stops accepting, lets checks that are under way end, then closes. */
  close(): Promise<void>
}

/** Envoy answers 431 over about 60 kB of headers, so a CheckRequest is far smaller. */
const requestBytesLimit = 1024 * 1024

/** How long a check may take when the caller names no deadline. */
const defaultDeadlineMs = 5_000

const closeLimitMs = 2_000

/** Options of the server; the benchmark's baseline has the same. */
export const channelOptions = {
  'grpc.max_receive_message_length': requestBytesLimit,
  // Statistics that nobody asks for, kept for each call.
  'grpc.enable_channelz': 0,
}

/** The Authorization service: bytes in, bytes out. */
export const checkService = {
  Check: {
    path: checkPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} satisfies ServiceDefinition

/**
 * Starts to serve checks.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startGrpcJsTransport(options: CheckTransportOptions): Promise<CheckTransport> {
  const { check, logger } = options

  const serve = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    try {
      const decision = check(call.request, remainingMs(call.getDeadline()))
      if (Buffer.isBuffer(decision)) answer(null, decision)
      else decision.then(bytes => answer(null, bytes)).catch(error => answer(grpcError(error, logger)))
    } catch (error) {
      answer(grpcError(error, logger))
    }
  }

  const server = new Server(channelOptions)
  server.addService(checkService, { Check: serve })
  addHealthService(server, options.health)
  const port = await bindGrpcServer(
    server,
    options.address,
    ServerCredentials.createInsecure(),
    'enforcer.address',
  )
  return {
    port,
    close: () =>
      new Promise(done => {
        const limit = setTimeout(() => server.forceShutdown(), closeLimitMs)
        server.tryShutdown(() => {
          clearTimeout(limit)
          done()
        })
      }),
  }
}

function remainingMs(deadline: Date | number): number {
  const atMs = deadline instanceof Date ? deadline.getTime() : deadline
  return Number.isFinite(atMs) ? Math.max(0, atMs - Date.now()) : defaultDeadlineMs
}

function grpcError(error: unknown, logger: Logger) {
  if (error instanceof Undecided) return { code: status.UNAVAILABLE, details: error.reason }
  if (error instanceof RescindError) return { code: status.INVALID_ARGUMENT, details: error.message }
  logger.error({ err: error }, 'a check failed')
  return { code: status.INTERNAL, details: 'internal error' }
}
