/**
 * What a revoker is started with.
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
import type { TokenVerifier } from '../token/verifier.ts'
import type { AdminCredentials } from './admin/admin-api.ts'
import type { ClientLimits } from './clients/authentication.ts'
import type { ConfiguredClient } from './clients/configured-client.ts'
import type { AdapterSourcesOptions } from './confirmation/adapter-sources.ts'
import type { ResponseHeaders } from './endpoint/response-headers.ts'
import type { Feeder } from './grants/feeders.ts'
import type { GrantStore } from './grants/grant-store.ts'
import type { RelaySettings } from './revocation-mode.ts'

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
  /** Who may use the admin API. */
  readonly administrators: AdminCredentials
  readonly issuers: readonly string[]
  readonly clockToleranceSeconds: number
  readonly maxClockDifferenceSeconds: number
  readonly maxTokenLifetimeSeconds: number
  readonly revocationsLimit: number
  /** Who is asked whether a revocation is enforced. */
  readonly confirmation: Omit<AdapterSourcesOptions, 'connectionsLimit'>
  /** What `GET /events/rejected` lists. */
  readonly deadLetters: DeadLetters
  /** Where the token registry keeps grants, and who reports them; undefined: there is none. */
  readonly grants: { readonly store: GrantStore; readonly feeders: readonly Feeder[] } | undefined
  readonly registry: Registry
  readonly logger: Logger
}
