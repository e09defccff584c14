/**
 * `GET /events/rejected` of the admin API: the last events that could not be used, and why.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { DeadLetters } from '../../event-log/dead-letters.ts'
import { answers, seconds } from './fields.ts'

const rejected = Type.Object({
  total: Type.Integer({ description: 'Those that are no longer listed included.' }),
  events: Type.Array(
    Type.Object({
      source: Type.String({ description: 'log, event-hub or inbox:NAME.' }),
      position: Type.String({ description: 'Where it stood there.' }),
      at: seconds('When it was skipped, seconds since 1970.'),
      problem: Type.String(),
      bytes: Type.Optional(Type.Integer({ description: 'Size of its content, where that is known.' })),
      sha256: Type.Optional(Type.String({ description: 'Of its content, hex.' })),
    }),
    { description: 'The newest last.' },
  ),
})

/** Adds the route to a server. */
export function addRejectedEvents(server: FastifyInstance, deadLetters: DeadLetters): void {
  server.get(
    '/events/rejected',
    {
      schema: {
        operationId: 'rejectedEvents',
        summary: 'List the last events that could not be used',
        response: answers({ 200: rejected }),
      },
    },
    async () => ({ total: deadLetters.total, events: deadLetters.list() }),
  )
}
