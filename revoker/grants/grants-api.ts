/**
 * `POST /grants`: issuers, or hooks of theirs, report the tokens that they have issued.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { bearerOf, createBearerTokens } from '../clients/bearer-tokens.ts'
import { sendProblem, tooManyGuesses } from '../problem.ts'
import type { Feeder } from './feeders.ts'
import { reportsOf, reportsSchema } from './issued-tokens.ts'
import type { RefusalReason } from './refusals.ts'
import type { TokenRegistry } from './token-registry.ts'

/** What the route works on. */
export interface GrantsApiOptions {
  readonly tokens: TokenRegistry
  readonly feeders: readonly Feeder[]
  readonly onRefused: (reason: RefusalReason) => void
}

/** Only feeders get so far as to send a body. */
const bodyLimitBytes = 1024 * 1024

/** Adds the route to a server; without a registry it answers that there is none. */
export function addGrantsApi(server: FastifyInstance, options: GrantsApiOptions | undefined): void {
  if (options === undefined) {
    const detail = 'the token registry is off; set revoker.grants.store to use it'
    server.post('/grants', {
      onRequest: async (_, reply) => sendProblem(reply, { status: 404, code: 'ERR_GRANTS_OFF', detail }),
      handler: () => undefined,
    })
    return
  }
  const authenticated = new WeakMap<FastifyRequest, Feeder>()
  const bearers = createBearerTokens(options.feeders)
  const authenticate = async (request: FastifyRequest, reply: FastifyReply) => {
    const token = bearerOf(request.headers.authorization)
    const bearer = token === undefined ? 'unknown' : await bearers.identify(token, request.ip)
    if (typeof bearer === 'object' && 'name' in bearer) {
      authenticated.set(request, options.feeders.find(({ name }) => name === bearer.name) as Feeder)
      return undefined
    }
    options.onRefused('unauthenticated')
    if (bearer !== 'unknown') return sendProblem(reply, tooManyGuesses(bearer.waitMs))
    reply.header('WWW-Authenticate', token === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
    const detail = 'a bearer token of revoker.grants.feeders is needed'
    return sendProblem(reply, { status: 401, code: 'ERR_FEEDER_UNAUTHENTICATED', detail })
  }
  server.post<{ Body: Static<typeof reportsSchema> }>(
    '/grants',
    { schema: { body: reportsSchema }, bodyLimit: bodyLimitBytes, onRequest: authenticate },
    async (request, reply) => {
      const { name, issuers } = authenticated.get(request) as Feeder
      await options.tokens.add(reportsOf(request.body), { actor: `feeder:${name}`, issuers })
      return reply.code(204).send()
    },
  )
}
