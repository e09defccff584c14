/**
 * The revoker: takes revocations over HTTP, authenticates them, and appends them to the log.
 *
 * @module
 */
import type { DeadLetters } from '../event-log/dead-letters.ts'
import type { EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import { listenAt } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TokenVerifier } from '../token/verifier.ts'
import { type AdminCredentials, addAdminApi } from './admin/admin-api.ts'
import { type ConfiguredClient, createClientAuthenticator } from './client-authentication.ts'
import { createHttpServer } from './http-server.ts'
import { keepLifetimeDeclared } from './lifetime-declaration.ts'
import { trimLog } from './log-trimming.ts'
import { createPublisher, type Publisher } from './publisher.ts'
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
  /** Who may use the admin API. */
  readonly admin: AdminCredentials
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
  const server = createHttpServer(logger)
  await addRevokeEndpoint(server, {
    authenticator: createClientAuthenticator(options.clients),
    verifier,
    rules,
    publisher,
    tenantDomain: options.tenantDomain,
    logger,
  })
  await addAdminApi(server, {
    ...options,
    credentials: options.admin,
    publisher,
    rules,
    confirmer: undefined,
    enforcers: undefined,
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
