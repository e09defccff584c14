/**
 * Who may use the admin API, by the configuration.
 *
 * @module
 */
import type { AdminCredentials } from '../revoker/admin/admin-api.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { createTokenVerifier } from '../token/verifier.ts'
import { issuersOf } from './settings.ts'

/** The administrators, until they are closed. */
export interface ConfiguredAdministrators {
  readonly credentials: AdminCredentials
  close(): void
}

/**
 * Reads who may. Their access tokens have a verifier of their own: it takes one issuer and one audience, and no key that
 * the issuer has withdrawn, for which a revoker must still revoke tokens.
 */
export function administratorsOf(config: Config, logger: Logger): ConfiguredAdministrators {
  const { tokens, jwt, certificates } = config.revoker.admin
  const issuers = issuersOf(config).filter(({ issuer }) => issuer === jwt?.issuer)
  const verifier =
    jwt &&
    createTokenVerifier({
      issuers: issuers.map(issuer => ({ ...issuer, audiences: [jwt.audience] })),
      logger,
    })
  const maxStalenessMs = parseDurationMs(config.enforcer.maxStaleness)
  const accessTokens = verifier && { verifier, scope: jwt.scope, maxStalenessMs }
  return {
    credentials: { tokens, accessTokens, certificates },
    close: () => verifier?.close(),
  }
}
