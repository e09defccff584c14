/**
 * Revokes tokens by what is known here: clients of the configuration, the issuers' keys, and the registered grants.
 *
 * @module
 */
import { clientOf } from '../../revocation/claims.ts'
import { ownMember } from '../../revocation/json-object.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { TokenVerifier, VerifyRules } from '../../token/verifier.ts'
import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts'
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
import { headersOf, type ResponseHeaders, type Told } from '../endpoint/response-headers.ts'
import type { AnswerRevocation, RevocationRequest } from '../endpoint/revocation-request.ts'
import type { TokenRegistry, TokenRevocation } from '../grants/token-registry.ts'
import type { NewRevocation, Publication, Publisher } from '../publisher.ts'
import { tokenMatch } from '../revoked-token.ts'

/** What tokens are revoked by. */
export interface StandaloneOptions {
  readonly authenticator: ClientAuthenticator
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  /** Knows opaque and refresh tokens; undefined without one. */
  readonly tokens: TokenRegistry | undefined
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

/** A client's token, and how it is revoked. */
interface Revocable {
  readonly owner: { readonly issuer: string; readonly clientId: string | undefined }
  /** What the answer tells its client. */
  told(): Told
  /** What must be published. */
  revocations(): Promise<readonly TokenRevocation[]>
}

async function revokeToken(
  { token: text, form }: RevocationRequest,
  { clients, isProven }: AuthenticatedClient,
  options: StandaloneOptions,
): Promise<Answer> {
  const { publisher, logger, responseHeaders, tenantDomain } = options
  const hint = form.get('token_type_hint')
  const found = (await findRegistered(text, hint, isProven, options)) ?? (await findJwt(text, options))
  if ('refusal' in found) return found.refusal
  const { issuer, clientId } = found.owner
  const client = clients.find(candidate => candidate.issuer === issuer && candidate.id === clientId)
  if (client === undefined) {
    // Nobody is told that a token of somebody else is known: the answer is that of an unknown one.
    logger.warn({ client: clients[0]?.id }, "nothing to revoke: another client's token")
    return succeeded('foreign')
  }
  const actor = `client:${client.id}`
  const revocations = (await found.revocations()).map(revocation => ({ ...revocation, actor }))
  const publication = await publishInPages(revocations, publisher)
  return succeeded('revoked', headersOf(found.told(), responseHeaders, tenantDomain), publication)
}

/** Few enough for one append, however long their texts are. */
const pageSize = 100

/**
 * Publishes all tokens of a grant: not together, for they may be too many bytes. It was marked before, so that a repeat of the
 * request goes on where this one failed. Undefined if there is none.
 */
async function publishInPages(
  revocations: readonly NewRevocation[],
  publisher: Publisher,
): Promise<Publication | undefined> {
  let all: Publication | undefined
  for (let start = 0; start < revocations.length; start += pageSize) {
    const page = await publisher.publishAll(revocations.slice(start, start + pageSize))
    all = {
      each: [...(all?.each ?? []), ...page.each],
      position: Math.max(all?.position ?? -1, page.position),
      isByJti: (all?.isByJti ?? true) && page.isByJti,
    }
  }
  return all
}

/** A token of the registry. A refresh token is told only to who proved a credential. */
async function findRegistered(
  text: string,
  hint: string | undefined,
  isProven: boolean,
  { tokens }: StandaloneOptions,
): Promise<Revocable | undefined> {
  const kind = hint === 'access_token' || hint === 'refresh_token' ? hint : undefined
  const token = await tokens?.find(text, kind)
  if (tokens === undefined || token === undefined) return undefined
  const { issuer, clientId, subject: user } = token
  return {
    owner: { issuer, clientId },
    told: () =>
      token.kind === 'refresh_token'
        ? { refreshToken: text, accessToken: token.otherToken(), user }
        : { accessToken: text, refreshToken: isProven ? token.otherToken() : undefined, user },
    revocations: () => tokens.markRevoked(token),
  }
}

async function findJwt(
  text: string,
  { verifier, rules, logger }: StandaloneOptions,
): Promise<Revocable | { readonly refusal: Answer }> {
  const verification = await verifier.verify(text, rules())
  if (!verification.ok) {
    if (verification.unavailable)
      return { refusal: refused(unavailable("the issuer's keys are not available")) }
    logger.info({ reason: verification.reason }, 'nothing to revoke: not a valid token')
    return { refusal: succeeded('unknown') }
  }
  const { token } = verification
  const subject = ownMember(token.payload, 'sub')
  return {
    owner: { issuer: token.issuer, clientId: clientOf(token.payload) },
    told: () => ({ accessToken: text, user: typeof subject === 'string' ? subject : undefined }),
    revocations: async () => [{ match: tokenMatch(token), expiresAt: token.expSeconds, tokenType: 'JWT' }],
  }
}
