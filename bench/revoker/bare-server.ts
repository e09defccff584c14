/**
 * The baseline: the revoker's HTTP server, which reads the form and answers 200 at once. Prints its port.
 *
 * @module
 */
import formbody from '@fastify/formbody'
import { createHttpServer } from '../../revoker/http-server.ts'
import { createErrorsOnlyLogger } from '../load/errors-only.ts'
import { tell } from '../load/program.ts'

const server = createHttpServer(createErrorsOnlyLogger())
await server.register(formbody)
server.post('/oauth2/revoke', async (_, reply) => reply.code(200).send())
await server.listen({ host: '127.0.0.1', port: 0 })
const address = server.server.address()
tell({ port: typeof address === 'object' && address !== null ? address.port : 0 })
