/**
 * The HTTP server of a revoker: its limits, and what it answers when a request fails.
 *
 * @module
 */
import { type FastifyError, type FastifyInstance, fastify } from 'fastify'
import { RescindError } from '../revocation/error.ts'
import type { Logger } from '../runtime/logger.ts'
import { notTooOften } from '../runtime/not-too-often.ts'
import { slowRequestLimits } from '../runtime/slow-requests.ts'
import { problemOf, sendProblem } from './problem.ts'

const bodyLimitBytes = 64 * 1024
const headersLimitBytes = 32 * 1024
const connectionsLimit = 10_000
const requestLimitMs = 10_000

/** Creates a server that does not listen yet. */
export function createHttpServer(logger: Logger): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestLimitMs,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: headersLimitBytes, ...slowRequestLimits(requestLimitMs) },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  server.server.maxConnections = connectionsLimit
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, { status: 404, code: 'ERR_NOT_FOUND', detail: `there is no ${request.method} here` }),
  )
  // While the log is away, each request fails in the same way.
  const reportFailure = notTooOften(1_000, (heldBack, error: RescindError, path: string | undefined) =>
    logger.error({ err: error, path, notLogged: heldBack }, 'request failed'),
  )
  server.setErrorHandler((error: FastifyError | RescindError, request, reply) => {
    if (error instanceof RescindError) {
      const problem = problemOf(error)
      if (problem.status >= 500 && error.code !== 'ERR_OVERLOADED')
        reportFailure(error, request.routeOptions.url)
      return sendProblem(reply, problem)
    }
    const status = error.statusCode ?? 500
    if (status < 500)
      return sendProblem(reply, { status, code: 'ERR_REQUEST_INVALID', detail: error.message })
    logger.error({ err: error, path: request.routeOptions.url }, 'request failed')
    return sendProblem(reply, { status: 500, code: 'ERR_REQUEST_FAILED', detail: 'internal error' })
  })
  return server
}
