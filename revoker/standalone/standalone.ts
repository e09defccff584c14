/**
 * Revokes tokens by what is known here: clients of the configuration, the issuers' keys, and the registered grants.
 *
 * @module
 */
import { ownMember } from '../../revocation/json-object.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { TokenVerifier, VerifyRules } from '../../token/verifier.ts'
import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts'
import type { ConfiguredClient } from '../clients/configured-client.ts'
import { readPresented } from '../clients/presented.ts'
import {
  type Answer,
  badClient,
  type OAuthError,
  refused,
  succeeded,
  tooMany,
  unavailable,
} from '../endpoint/answer.ts'
import { headersOf, type ResponseHeaders } from '../endpoint/response-headers.ts'
import type { AnswerRevocation, RevocationRequest } from '../endpoint/revocation-request.ts'
import type { Publisher } from '../publisher.ts'
import { belongsTo, tokenMatch } from '../revoked-token.ts'

/** What tokens are revoked by. */
export interface StandaloneOptions {
  readonly authenticator: ClientAuthenticator
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  readonly responseHeaders: ResponseHeaders
  /** Follows the user name in the AuthorizedUser header. */
  readonly tenantDomain: string
  readonly logger: Logger
}

/** Characters of a client id that proved nothing, in the log. */
const loggedIdLimit = 256

/** Answers by what is known here. */
export function createStandalone(options: StandaloneOptions): AnswerRevocation {
  const { authenticator, logger } = options
  return async request => {
    const { headers, form, address } = request
    const presented = readPresented(headers.authorization, form)
    if ('problem' in presented) return refused(badClient(presented.problem), presented.inHeader)
    const inHeader = presented.method === 'secret' && presented.inHeader
    const authentication = await authenticator.authenticate(presented, address)
    if ('client' in authentication) return revokeToken(request, authentication.client, options)
    const { refused: why } = authentication
    const id = presented.id?.slice(0, loggedIdLimit)
    logger.warn({ client: id, from: address, why }, 'client authentication failed')
    const problem: OAuthError =
      authentication.refused === 'limited'
        ? tooMany(authentication.waitMs)
        : badClient('client authentication failed')
    return refused(problem, inHeader)
  }
}

async function revokeToken(
  { token: text }: RevocationRequest,
  { clients }: AuthenticatedClient,
  options: StandaloneOptions,
): Promise<Answer> {
  const { verifier, rules, publisher, logger } = options
  const verification = await verifier.verify(text, rules())
  if (!verification.ok) {
    if (verification.unavailable) return refused(unavailable("the issuer's keys are not available"))
    logger.info({ reason: verification.reason }, 'nothing to revoke: not a valid token')
    return succeeded('unknown')
  }
  const { token } = verification
  const client = clients.find(candidate => belongsTo(token, candidate))
  if (client === undefined) return foreign(clients, logger)
  const publication = await publisher.publishAll([
    {
      match: tokenMatch(token),
      expiresAt: token.expSeconds,
      tokenType: 'JWT',
      actor: `client:${client.id}`,
    },
  ])
  const subject = ownMember(token.payload, 'sub')
  const user = typeof subject === 'string' ? subject : undefined
  const told = headersOf({ accessToken: text, user }, options.responseHeaders, options.tenantDomain)
  return succeeded('revoked', told, publication)
}

/** Nobody is told that a token of somebody else is known: the answer is that of an unknown one. */
function foreign(clients: readonly ConfiguredClient[], logger: Logger): Answer {
  logger.warn({ client: clients[0]?.id }, "nothing to revoke: another client's token")
  return succeeded('foreign')
}
