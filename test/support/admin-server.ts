/**
 * The admin API alone, over HTTP on a free port, on a log in memory that several of them can share as revokers do.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { createDeadLetters, type DeadLetters } from '../../event-log/dead-letters.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import { followLog, type LogFollower } from '../../event-log/follow.ts'
import { type AdminCredentials, addAdminApi } from '../../revoker/admin/admin-api.ts'
import { unconfirmed } from '../../revoker/confirmation/confirmation.ts'
import { createHttpServer } from '../../revoker/http-server.ts'
import { createPublisher } from '../../revoker/publisher.ts'
import { revokerRules } from '../../revoker/revoked-token.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createTokenVerifier, type IssuerSettings } from '../../token/verifier.ts'
import { createKeptLogger, type LoggedLine } from './kept-logger.ts'
import { createMemoryLogStore, type MemoryLogStore } from './memory-log.ts'
import { plainCodec } from './revocations.ts'

/** How a server differs from the default. */
export interface AdminServerOptions {
  /** Nobody if not given. */
  readonly credentials?: Partial<AdminCredentials>
  /** Default: one of its own, with one entry so that it has begun. */
  readonly store?: MemoryLogStore
  /** The log as this server sees it. */
  openLog?(store: MemoryLogStore): EventLog
  readonly issuers?: readonly IssuerSettings[]
  readonly deadLetters?: DeadLetters
  /** Default: the revoker's, without TLS. */
  createServer?(logger: Logger): FastifyInstance
  /** Wall clock, seconds; default: this machine's. */
  nowSeconds?(): number
  /** Longest token lifetime, if the store is not given. */
  readonly lifetimeSeconds?: number
}

/** A running server. */
export interface AdminServer {
  readonly url: string
  readonly store: MemoryLogStore
  readonly follower: LogFollower
  readonly lines: readonly LoggedLine[]
  close(): Promise<void>
}

const toleranceSeconds = 30

/** Starts a server. */
export async function startAdminServer(options: AdminServerOptions = {}): Promise<AdminServer> {
  const { issuers = [], lifetimeSeconds = 30 * 24 * 3600 } = options
  const store = options.store ?? createMemoryLogStore()
  const log = options.openLog?.(store) ?? store.open()
  if (options.store === undefined) {
    await log.append(
      plainCodec.encode({ kind: 'token-lifetime', seconds: lifetimeSeconds, declaredAt: 0 }, 'test'),
    )
  }
  const { logger, lines } = createKeptLogger()
  const follower = followLog({ log, codec: plainCodec, graceSeconds: 330 })
  const nowSeconds = options.nowSeconds ?? (() => Date.now() / 1000)
  const shared = { log, follower, codec: plainCodec, logger, nowSeconds }
  const verifier = createTokenVerifier({ issuers, logger })
  const server = options.createServer?.(logger) ?? createHttpServer(logger, [])
  await addAdminApi(server, {
    relay: undefined,
    ...shared,
    administrators: { tokens: [], accessTokens: undefined, certificates: [], ...options.credentials },
    publisher: createPublisher({ ...shared, graceSeconds: 330, revocationsLimit: 1_000_000 }),
    verifier,
    rules: () => revokerRules(toleranceSeconds, 300, follower.state.lifetimes.seconds),
    issuers: issuers.map(({ issuer }) => issuer),
    clockToleranceSeconds: toleranceSeconds,
    deadLetters: options.deadLetters ?? createDeadLetters(100),
    confirmer: { confirm: async ({ position }) => unconfirmed(position, 'nobody is asked') },
    enforcers: undefined,
  })
  await follower.caughtUp
  return {
    url: await server.listen({ host: '127.0.0.1', port: 0 }),
    store,
    follower,
    lines,
    close: async () => {
      await server.close()
      verifier.close()
      await follower.close()
      await log.close()
    },
  }
}
