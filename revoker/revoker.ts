/**
 * The revoker: takes revocations over HTTP, authenticates them, and appends them to the log.
 *
 * @module
 */
import { type FastifyError, type FastifyInstance, fastify } from 'fastify'
import type { DeadLetters } from '../event-log/dead-letters.ts'
import type { EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import { RescindError } from '../revocation/error.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import { listenAt } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import { notTooOften } from '../runtime/not-too-often.ts'
import { slowRequestLimits } from '../runtime/slow-requests.ts'
import { createSecretVerifier } from '../token/secret.ts'
import type { TokenVerifier } from '../token/verifier.ts'
import { addAdminApi } from './admin-api.ts'
import { type ConfiguredClient, createClientAuthenticator } from './client-authentication.ts'
import { keepLifetimeDeclared } from './lifetime-declaration.ts'
import { trimLog } from './log-trimming.ts'
import { problemOf, sendProblem } from './problem.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { addRejectedEvents } from './rejected-events.ts'
import { addRevokeEndpoint } from './revoke-endpoint.ts'
import { revokerRules } from './revoked-token.ts'

/** Settings of a revoker; see docs/configuration.md. The log and its follower may be shared with an adapter. */
export interface RevokerOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  readonly verifier: TokenVerifier
  readonly address: string
  readonly clients: readonly ConfiguredClient[]
  readonly adminTokens: readonly { readonly name: string; readonly hash: string }[]
  readonly issuers: readonly string[]
  readonly tenantDomain: string
  readonly clockToleranceSeconds: number
  readonly maxClockDifferenceSeconds: number
  readonly maxTokenLifetimeSeconds: number
  readonly revocationsLimit: number
  /** What `GET /events/rejected` lists. */
  readonly deadLetters: DeadLetters
  readonly logger: Logger
}

/** A running revoker. */
export interface Revoker {
  readonly port: number
  /** For importers in the same process. */
  readonly publisher: Publisher
  /** Lets requests that are under way end, then stops. */
  close(): Promise<void>
}

const bodyLimitBytes = 64 * 1024
const headersLimitBytes = 32 * 1024
const connectionsLimit = 10_000
const requestLimitMs = 10_000

/**
 * Starts a revoker. It takes requests when the log was read to its end and declares the longest token lifetime.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startRevoker(options: RevokerOptions): Promise<Revoker> {
  const { log, follower, logger, verifier } = options
  const declaration = keepLifetimeDeclared(options)
  await declaration.declared
  const graceSeconds = options.clockToleranceSeconds + options.maxClockDifferenceSeconds
  const trimming = trimLog({ ...options, graceSeconds })
  const nowSeconds = () => Date.now() / 1000
  const publisher = createPublisher({
    log,
    follower,
    codec: options.codec,
    graceSeconds,
    logger,
    nowSeconds,
    revocationsLimit: options.revocationsLimit,
  })
  const rules = () =>
    revokerRules(
      options.clockToleranceSeconds,
      options.maxClockDifferenceSeconds,
      follower.state.lifetimes.seconds,
    )
  const server = createServer(logger)
  await addRevokeEndpoint(server, {
    authenticator: createClientAuthenticator(options.clients),
    verifier,
    rules,
    publisher,
    tenantDomain: options.tenantDomain,
    logger,
  })
  const administrators = { tokens: options.adminTokens, secrets: createSecretVerifier() }
  addRejectedEvents(server, { ...administrators, deadLetters: options.deadLetters })
  addAdminApi(server, {
    ...administrators,
    verifier,
    rules,
    publisher,
    issuers: options.issuers,
    nowSeconds,
  })
  const address = parseAddress(options.address)
  await listenAt('revoker.address', formatAddress(address), () =>
    server.listen(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    ),
  )
  const bound = server.server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    publisher,
    close: async () => {
      declaration.close()
      await server.close()
      await trimming.close()
    },
  }
}

function createServer(logger: Logger): FastifyInstance {
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
