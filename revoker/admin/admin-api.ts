/**
 * The admin API: its routes, behind one gate.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { DeadLetters } from '../../event-log/dead-letters.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import type { LogFollower } from '../../event-log/follow.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { TokenVerifier, VerifyRules } from '../../token/verifier.ts'
import type { BearerToken } from '../clients/bearer-tokens.ts'
import type { Confirmer } from '../confirmation/confirmation.ts'
import type { AskEnforcers } from '../confirmation/known-enforcers.ts'
import type { Publisher } from '../publisher.ts'
import type { Relay } from '../relay/relay.ts'
import { createRestorer } from '../restorer.ts'
import type { AdminAccessTokens } from './access-tokens.ts'
import { createAdministrators } from './administrators.ts'
import { createChanges } from './changes.ts'
import { addClaimSets } from './claim-sets.ts'
import { addEvents } from './events.ts'
import { addExplain } from './explain.ts'
import { addList } from './list.ts'
import { addOpenApi } from './openapi.ts'
import { addRejectedEvents } from './rejected-events.ts'
import { addRestore } from './restore.ts'
import { createRevocationTexts } from './revocation-texts.ts'
import { addRevoke } from './revoke.ts'
import { addUnresolved } from './unresolved.ts'

/** Who may use the admin API; with nobody it is off. */
export interface AdminCredentials {
  readonly tokens: readonly BearerToken[]
  readonly accessTokens: AdminAccessTokens | undefined
  /** Names in client certificates with their kinds, as `uri:spiffe://corp/ops`; of use only where the server asks for certificates. */
  readonly certificates: readonly string[]
}

/** What the admin API works on. */
export interface AdminApiOptions {
  readonly administrators: AdminCredentials
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  readonly publisher: Publisher
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  /** Issuers of the configuration. */
  readonly issuers: readonly string[]
  readonly clockToleranceSeconds: number
  readonly deadLetters: DeadLetters
  /** Undefined: nothing is relayed. */
  readonly relay: Relay | undefined
  /** Asks enforcers whether they have a version. */
  readonly confirmer: Confirmer
  /** Undefined: there are no adapters to ask. */
  readonly enforcers: AskEnforcers | undefined
  readonly logger: Logger
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Adds the admin API to a server that does not listen yet. */
export async function addAdminApi(server: FastifyInstance, options: AdminApiOptions): Promise<void> {
  const { administrators: credentials, follower, clockToleranceSeconds, nowSeconds, logger } = options
  const { state } = follower
  const administrators = createAdministrators({
    ...credentials,
    accessTokens: credentials.accessTokens && { ...options, ...credentials.accessTokens },
    logger,
    nowSeconds,
  })
  const shared = {
    ...options,
    state,
    answerChange: createChanges(options),
    texts: createRevocationTexts({ ...options, state }),
    restorer: createRestorer(options),
    liveAfter: () => nowSeconds() - clockToleranceSeconds,
  }
  await server.register(async open => {
    await addOpenApi(open, administrators.areThere)
    await open.register(async closed => {
      closed.addHook('onRequest', (request, reply) => administrators.authenticate(request, reply))
      addRevoke(closed, shared)
      addList(closed, shared)
      addRestore(closed, shared)
      addClaimSets(closed, shared)
      addExplain(closed, shared)
      addEvents(closed, follower)
      addRejectedEvents(closed, options.deadLetters)
      addUnresolved(closed, options)
    })
  })
}
