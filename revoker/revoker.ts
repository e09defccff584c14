/**
 * The revoker: takes revocations over HTTP, authenticates them, and appends them to the log.
 *
 * @module
 */
import type { Registry } from 'prom-client'
import type { DeadLetters } from '../event-log/dead-letters.ts'
import type { EventLog } from '../event-log/event-log.ts'
import type { LogFollower } from '../event-log/follow.ts'
import type { EventCodec } from '../revocation/formats/rescind.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { createSecretVerifier } from '../token/secret.ts'
import type { TokenVerifier } from '../token/verifier.ts'
import { addAdminApi } from './admin-api.ts'
import type { ClientLimits } from './clients/authentication.ts'
import type { ConfiguredClient } from './clients/configured-client.ts'
import { addMetadata } from './endpoint/metadata.ts'
import type { ResponseHeaders } from './endpoint/response-headers.ts'
import { addRevokeEndpoint } from './endpoint/revoke-endpoint.ts'
import type { Feeder } from './grants/feeders.ts'
import type { GrantStore } from './grants/grant-store.ts'
import { addGrantsApi } from './grants/grants-api.ts'
import { countRefusals } from './grants/refusals.ts'
import { createTokenRegistry, type TokenRegistry } from './grants/token-registry.ts'
import { createHttpServer, listenHttp, listenHttps } from './http-server.ts'
import { keepLifetimeDeclared } from './lifetime-declaration.ts'
import { trimLog } from './log-trimming.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { addRejectedEvents } from './rejected-events.ts'
import { createRevocationMode, type RelaySettings } from './revocation-mode.ts'
import { revokerRules } from './revoked-token.ts'

/** Settings of a revoker; see docs/configuration.md. The log and its follower may be shared with an adapter. */
export interface RevokerOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  readonly verifier: TokenVerifier
  readonly address: string
  /** Where to listen for HTTPS too. */
  readonly https: { readonly address: string; readonly files: TlsFiles } | undefined
  readonly publicUrl: string
  readonly trustedProxies: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly responseHeaders: ResponseHeaders
  readonly tenantDomain: string
  readonly clients: readonly ConfiguredClient[]
  readonly limits: ClientLimits
  /** Undefined: standalone. */
  readonly relay: RelaySettings | undefined
  readonly adminTokens: readonly { readonly name: string; readonly hash: string }[]
  readonly issuers: readonly string[]
  readonly clockToleranceSeconds: number
  readonly maxClockDifferenceSeconds: number
  readonly maxTokenLifetimeSeconds: number
  readonly revocationsLimit: number
  /** What `GET /events/rejected` lists. */
  readonly deadLetters: DeadLetters
  /** Where the token registry keeps grants, and who reports them; absent: there is none. */
  readonly grants?: { readonly store: GrantStore; readonly feeders: readonly Feeder[] } | undefined
  readonly registry: Registry
  readonly logger: Logger
}

/** A running revoker. */
export interface Revoker {
  readonly port: number
  /** For importers in the same process. */
  readonly publisher: Publisher
  /** The same; absent if there is none. */
  readonly tokens: TokenRegistry | undefined
  /** Lets requests that are under way end, then stops. */
  close(): Promise<void>
}

/**
 * Starts a revoker. It takes requests when the log was read to its end and declares the longest token lifetime.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startRevoker(options: RevokerOptions): Promise<Revoker> {
  const { log, follower, logger, verifier, publicUrl, clockToleranceSeconds } = options
  const declaration = keepLifetimeDeclared(options)
  await declaration.declared
  const graceSeconds = clockToleranceSeconds + options.maxClockDifferenceSeconds
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
    revokerRules(clockToleranceSeconds, options.maxClockDifferenceSeconds, follower.state.lifetimes.seconds)
  const grants = options.grants && { ...options.grants, onRefused: countRefusals(options.registry) }
  const tokens =
    grants &&
    createTokenRegistry({
      ...grants,
      publish: publisher.publish,
      nowSeconds,
      longestTokenSeconds: () => follower.state.lifetimes.seconds + graceSeconds,
    })
  const server = createHttpServer(logger, options.trustedProxies)
  const mode = await createRevocationMode({
    ...options,
    rules,
    publisher,
    tokens,
    graceSeconds,
    longestTokenSeconds: () => follower.state.lifetimes.seconds,
    nowSeconds,
  })
  await addRevokeEndpoint(server, { ...options, ...mode })
  addMetadata(server, { publicUrl, authMethods: mode.authMethods })
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
  addGrantsApi(server, grants && tokens && { ...grants, tokens, secrets: createSecretVerifier() })
  const port = await listenHttp(server, options.address)
  const { https } = options
  const overTls = https && (await listenHttps(server, https.address, https.files))
  return {
    port,
    publisher,
    tokens,
    close: async () => {
      declaration.close()
      await overTls?.close()
      await server.close()
      await mode.close()
      await trimming.close()
    },
  }
}
