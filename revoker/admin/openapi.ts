/**
 * `GET /openapi.json`: the admin API as OpenAPI 3.1, written from the schemas of its routes.
 *
 * @module
 */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { sendProblem } from '../problem.ts'
import { adminOff } from './administrators.ts'

const description = [
  'Revoke, restore and look at what is revoked.',
  'Errors are problem details (RFC 9457) with a stable code.',
  'Times are seconds since 1970.',
  'A client certificate that is configured does instead of the bearer token.',
].join(' ')

/** Describes the routes that are added to this server afterwards. Not secret: no credentials are asked for. */
export async function addOpenApi(server: FastifyInstance, isOn: boolean): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Rescind: admin API', version: '1', description },
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
  })
  server.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    isOn ? reply.send(server.swagger()) : sendProblem(reply, adminOff),
  )
}
