/**
 * The HTTP server of a revoker: its limits, what it answers when a request fails, and listening, also over HTTPS.
 *
 * @module
 */
import { createServer, type Server as HttpsServer } from 'node:https'
import { type FastifyError, type FastifyInstance, fastify } from 'fastify'
import { RescindError } from '../revocation/error.ts'
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import { listenAt } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import { notTooOften } from '../runtime/not-too-often.ts'
import { slowRequestLimits } from '../runtime/slow-requests.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { problemOf, sendProblem } from './problem.ts'

const bodyLimitBytes = 64 * 1024
const headersLimitBytes = 32 * 1024
const connectionsLimit = 10_000
const requestLimitMs = 10_000
const handshakeLimitMs = 10_000

const nodeLimits = { maxHeaderSize: headersLimitBytes, ...slowRequestLimits(requestLimitMs) }

/**
 * Creates a server that does not listen yet.
 *
 * @param trustedProxies addresses and networks whose X-Forwarded-For is believed.
 */
export function createHttpServer(logger: Logger, trustedProxies: readonly string[]): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestLimitMs,
    forceCloseConnections: 'idle',
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    http: nodeLimits,
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

/**
 * Listens for HTTP.
 *
 * @returns the port; 0 of a Unix socket.
 * @throws RescindError ERR_ADDRESS_IN_USE
 */
export async function listenHttp(server: FastifyInstance, text: string): Promise<number> {
  const address = parseAddress(text)
  const place = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  await listenAt('revoker.address', formatAddress(address), () => server.listen(place))
  const bound = server.server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

/** A listener for HTTPS. */
export interface HttpsListener {
  readonly port: number
  /** Stops listening and lets what is under way end. */
  close(): Promise<void>
  /** Ends what is under way. */
  endConnections(): void
}

/**
 * Listens for HTTPS with the same routes. A client may show a certificate; who needs one looks whether it is authorized.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE
 */
export async function listenHttps(
  server: FastifyInstance,
  text: string,
  files: TlsFiles,
): Promise<HttpsListener> {
  await server.ready()
  const options = {
    ...nodeLimits,
    ...files.material.options,
    handshakeTimeout: handshakeLimitMs,
    requestCert: files.material.options.ca !== undefined,
    rejectUnauthorized: false,
  }
  const listener = createServer(options, (request, response) => server.routing(request, response))
  listener.maxConnections = connectionsLimit
  listener.on('tlsClientError', () => undefined)
  files.onChanged(({ options: changed }) => listener.setSecureContext(changed))
  const port = await listenAt('revoker.tls.address', text, () => listening(listener, text))
  return {
    port,
    close: () =>
      new Promise(done => {
        listener.close(() => done())
        listener.closeIdleConnections()
      }),
    endConnections: () => listener.closeAllConnections(),
  }
}

const listening = (listener: HttpsServer, text: string): Promise<number> =>
  new Promise((done, fail) => {
    listener.once('error', fail)
    listener.listen(parseAddress(text), () => {
      listener.off('error', fail)
      const bound = listener.address()
      done(typeof bound === 'object' && bound !== null ? bound.port : 0)
    })
  })
