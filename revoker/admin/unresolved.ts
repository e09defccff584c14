/**
 * `GET /unresolved` and `DELETE /unresolved/{id}` of the admin API: revocations that may have happened at the identity
 * provider behind the relay, and that nobody could prove.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Logger } from '../../runtime/logger.ts'
import { sendProblem } from '../problem.ts'
import type { Relay } from '../relay/relay.ts'
import { adminOf } from './administrators.ts'
import { answers, matchClaims, seconds } from './fields.ts'

/** What the routes work on. */
export interface UnresolvedOptions {
  /** Undefined: there is none, and nothing is open. */
  readonly relay: Relay | undefined
  readonly logger: Logger
}

const id = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Names it; leads back to no token.' })

const open = Type.Object({
  id,
  at: seconds('When the identity provider was asked, seconds since 1970.'),
  client: Type.Optional(Type.String({ description: 'Who asked, as it calls itself.' })),
  proven: Type.Boolean({
    description: 'The identity provider has revoked it; it only waits for the event log.',
  }),
  taken: Type.Array(
    Type.Object({
      match: matchClaims,
      cut: Type.Boolean({ description: 'All that was issued until then; otherwise this token.' }),
    }),
    { description: 'What would be revoked, as far as that is known.' },
  ),
})

const listLimit = 1_000
const params = Type.Object({ id })

/** Adds the routes to a server. */
export function addUnresolved(server: FastifyInstance, { relay, logger }: UnresolvedOptions): void {
  server.get(
    '/unresolved',
    {
      schema: {
        operationId: 'unresolved',
        summary: 'List relayed revocations of which nobody knows whether they happened',
        response: answers({
          200: Type.Object({
            total: Type.Integer(),
            revocations: Type.Array(open, { description: `At most ${listLimit}.` }),
          }),
        }),
      },
    },
    async () => {
      const all = relay?.unresolved() ?? []
      return { total: all.length, revocations: all.slice(0, listLimit) }
    },
  )
  server.delete<{ Params: Static<typeof params> }>(
    '/unresolved/:id',
    {
      schema: {
        operationId: 'dismissUnresolved',
        summary: 'Forget a relayed revocation that stays unresolved',
        params,
        response: answers({ 204: Type.Null() }),
      },
    },
    async (request, reply) => {
      const dismissed = (await relay?.dismiss(request.params.id)) ?? false
      if (!dismissed) {
        const detail = 'no revocation with this id is unresolved now'
        return sendProblem(reply, { status: 404, code: 'ERR_NOT_FOUND', detail })
      }
      const administrator = adminOf(request)
      logger.info(
        { administrator, from: request.ip, change: 'dismiss', id: request.params.id },
        'an administrator made a change',
      )
      return reply.code(204).send(null)
    },
  )
}
