/**
 * The revocation endpoint (RFC 7009) at `/oauth2/revoke` and `/revoke`, answering as WSO2's does.
 *
 * @module
 */
import formbody from '@fastify/formbody'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RescindError } from '../revocation/error.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TokenVerifier, VerifyRules } from '../token/verifier.ts'
import { type ClientAuthenticator, type ConfiguredClient, findCredentials } from './client-authentication.ts'
import type { Publisher } from './publisher.ts'
import { belongsTo, tokenMatch } from './revoked-token.ts'
import { revokedHeaders, securityHeaders } from './wso2-headers.ts'

/** What the endpoint works on. */
export interface RevokeEndpointOptions {
  readonly authenticator: ClientAuthenticator
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  /** Follows the user name in the AuthorizedUser header. */
  readonly tenantDomain: string
  readonly logger: Logger
}

/** An OAuth error (RFC 6749 section 5.2). */
interface OAuthError {
  readonly status: number
  readonly error: 'invalid_request' | 'invalid_client' | 'temporarily_unavailable'
  readonly error_description: string
}

type Form = Readonly<Record<string, string>>

const parametersLimit = 32
/** Characters of a client id that proved nothing, in the log. */
const loggedIdLimit = 256

/** Adds the endpoint to a server. */
export async function addRevokeEndpoint(
  server: FastifyInstance,
  options: RevokeEndpointOptions,
): Promise<void> {
  await server.register(async scope => {
    // RFC 7009 section 2.1 knows forms only; whatever else would be understood in a second way is answered with 415.
    scope.removeAllContentTypeParsers()
    await scope.register(formbody)
    scope.setErrorHandler((error: FastifyError | RescindError, request, reply) => {
      const status = error instanceof RescindError ? 503 : (error.statusCode ?? 500)
      if (isWorthLogging(error, status)) {
        options.logger.error({ err: error, path: request.routeOptions.url }, 'request failed')
      }
      return refuse(
        reply,
        status < 500 ? { ...badRequest(error.message), status } : unavailable('try again later'),
      )
    })
    scope.addHook('onRequest', async (_, reply) => {
      reply.headers(securityHeaders)
    })
    for (const path of ['/oauth2/revoke', '/revoke']) {
      scope.post(path, (request, reply) => revoke(request, reply, options))
    }
  })
}

async function revoke(request: FastifyRequest, reply: FastifyReply, options: RevokeEndpointOptions) {
  const form = readForm(request.body)
  if (typeof form === 'string') return refuse(reply, badRequest(form))
  if (form.token === undefined || form.token === '')
    return refuse(reply, badRequest('the parameter token is missing'))
  const found = findCredentials(request.headers.authorization, form)
  if ('problem' in found) return refuse(reply, badClient(found.problem), found.inHeader)
  const clients = await options.authenticator.authenticate(found.credentials)
  if (clients.length === 0) {
    options.logger.warn(
      { client: found.credentials.id.slice(0, loggedIdLimit), from: request.ip },
      'client authentication failed',
    )
    return refuse(reply, badClient('client authentication failed'), found.inHeader)
  }
  return revokeToken(form.token, clients, reply, options)
}

async function revokeToken(
  text: string,
  clients: readonly ConfiguredClient[],
  reply: FastifyReply,
  { verifier, rules, publisher, tenantDomain, logger }: RevokeEndpointOptions,
) {
  const verification = await verifier.verify(text, rules())
  if (!verification.ok) {
    if (verification.unavailable) return refuse(reply, unavailable("the issuer's keys are not available"))
    logger.info({ reason: verification.reason }, 'nothing to revoke: not a valid token')
    return succeed(reply, {})
  }
  const { token } = verification
  const client = clients.find(candidate => belongsTo(token, candidate))
  if (client === undefined) {
    logger.warn({ client: clients[0]?.id }, "nothing to revoke: another client's token")
    return succeed(reply, {})
  }
  await publisher.publish({
    match: tokenMatch(token),
    expiresAt: token.expSeconds,
    tokenType: 'JWT',
    actor: `client:${client.id}`,
  })
  return succeed(reply, revokedHeaders(text, token, tenantDomain))
}

/** Overload is not: it would flood the log with what it counts anyway. */
function isWorthLogging(error: FastifyError | RescindError, status: number): boolean {
  return status >= 500 && error.code !== 'ERR_OVERLOADED'
}

/** The form's parameters; a text that says what is wrong with it otherwise. */
function readForm(body: unknown): Form | string {
  if (typeof body !== 'object' || body === null) return 'the body must be application/x-www-form-urlencoded'
  const entries = Object.entries(body)
  if (entries.length > parametersLimit) return 'too many parameters'
  const repeated = entries.find(([, value]) => typeof value !== 'string')
  if (repeated !== undefined) return `the parameter ${repeated[0].slice(0, 40)} is repeated`
  return Object.fromEntries(entries) as Form
}

/** RFC 7009 section 2.2: also for tokens that are not known. */
function succeed(reply: FastifyReply, headers: Readonly<Record<string, string>>) {
  return reply
    .code(200)
    .headers({ 'Content-Type': 'text/html', ...headers })
    .send('')
}

function refuse(reply: FastifyReply, { status, ...body }: OAuthError, inHeader = false) {
  if (status === 401 && inHeader) reply.header('WWW-Authenticate', 'Basic realm="rescind"')
  if (status === 503) reply.header('Retry-After', '1')
  return reply.code(status).send(body)
}

const badRequest = (error_description: string): OAuthError => ({
  status: 400,
  error: 'invalid_request',
  error_description,
})

const badClient = (error_description: string): OAuthError => ({
  status: 401,
  error: 'invalid_client',
  error_description,
})

const unavailable = (error_description: string): OAuthError => ({
  status: 503,
  error: 'temporarily_unavailable',
  error_description,
})
