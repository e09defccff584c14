/**
 * The baseline: the revoker's HTTP server, which reads the form and answers 200 at once. Prints its port.
 *
 * @module
 */
import { readForm } from '../../revoker/endpoint/form.ts'
import { createHttpServer } from '../../revoker/http-server.ts'
import { createErrorsOnlyLogger } from '../load/errors-only.ts'
import { tell } from '../load/program.ts'

const server = createHttpServer(createErrorsOnlyLogger(), [])
server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
  done(null, body),
)
server.post('/oauth2/revoke', async ({ body }, reply) => {
  readForm(String(body))
  return reply.code(200).send()
})
await server.listen({ host: '127.0.0.1', port: 0 })
const address = server.server.address()
tell({ port: typeof address === 'object' && address !== null ? address.port : 0 })
