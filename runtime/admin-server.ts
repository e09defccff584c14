/**
 * The small HTTP server at an `adminAddress`: liveness, readiness and metrics.
 *
 * @module
 */
import { type FastifyInstance, fastify } from 'fastify'
import type { Registry } from 'prom-client'
import { formatAddress, parseAddress } from './config/address.ts'
import { listenAt } from './listen.ts'
import type { Logger } from './logger.ts'
import { slowRequestLimits } from './slow-requests.ts'

/** Whether the process can do its work, and if not, why; each reason is one short sentence. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** What people should know although it does its work. */
  readonly notes?: readonly string[]
}

/** What the admin server shows. */
export interface AdminServerOptions {
  /** `host:port`; port 0 is any free port. */
  readonly address: string
  /** The setting that the address came from, for errors. */
  readonly setting?: string
  /** Asked at each `GET /readyz`. */
  readonly ready: () => Readiness
  /** Where `GET /metrics` takes the metrics from. */
  readonly registry: Registry
  readonly logger: Logger
}

/** An admin server; further routes are added to `server` before `listen`. */
export interface AdminServer {
  readonly server: FastifyInstance
  /**
   * Starts to listen and resolves to the address, with the real port.
   *
   * @throws RescindError ERR_ADDRESS_IN_USE when it cannot listen there
   */
  listen(): Promise<string>
  /** Stops listening and ends all connections. */
  close(): Promise<void>
}

const bodyLimitBytes = 65_536
const headersLimitBytes = 16_384
const connectionsLimit = 256
const requestLimitMs = 10_000

/** Creates the server with `GET /livez`, `GET /readyz` and `GET /metrics`; it does not listen yet. */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { address, setting = 'adminAddress', ready, registry, logger } = options
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestLimitMs,
    forceCloseConnections: true,
    http: { maxHeaderSize: headersLimitBytes, ...slowRequestLimits(requestLimitMs) },
  })
  server.server.maxConnections = connectionsLimit
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  // Browsers say whose page asks, to loopback and over HTTPS: another site's gets nothing, but a link in it may be followed.
  server.addHook('onRequest', async ({ headers }, reply) => {
    if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate')
      await reply.code(403).send({ error: 'cross_site' })
  })
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not_found' }))
  server.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status >= 500) logger.error({ err: error, path: request.routeOptions.url }, 'admin request failed')
    return reply.code(status).send({ error: status >= 500 ? 'internal_error' : 'invalid_request' })
  })
  server.get('/livez', async () => ({ live: true }))
  server.get('/readyz', async (_request, reply) => {
    const readiness = ready()
    return reply.code(readiness.ready ? 200 : 503).send(readiness)
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return {
    server,
    listen: () => listenAt(setting, address, () => listenOn(server, address)),
    close: () => server.close(),
  }
}

async function listenOn(server: FastifyInstance, text: string): Promise<string> {
  const address = parseAddress(text)
  if (address.kind === 'unix') {
    await server.listen({ path: address.path })
    return text
  }
  await server.listen({ host: address.host, port: address.port })
  const bound = server.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return formatAddress({ ...address, port })
}

/** The HTTP status that a route or fastify gave the error; 500 without one. */
function statusOf(error: unknown): number {
  const { statusCode } = error as { statusCode?: unknown }
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500
}
