/**
 * `GET /events/rejected` of the admin API: the last events that could not be used, and why.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { DeadLetters } from '../event-log/dead-letters.ts'
import { type AdministratorOptions, authenticateAdministrator } from './administrators.ts'

/** Adds the route to a server. */
export function addRejectedEvents(
  server: FastifyInstance,
  options: AdministratorOptions & { readonly deadLetters: DeadLetters },
): void {
  const { deadLetters } = options
  server.get(
    '/events/rejected',
    { onRequest: (request, reply) => authenticateAdministrator(request, reply, options) },
    async () => ({ total: deadLetters.total, events: deadLetters.list() }),
  )
}
