/**
 * The revocation endpoint (RFC 7009) at `/oauth2/revoke` and `/revoke`, answering as WSO2's does.
 *
 * @module
 */
import cors from '@fastify/cors'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Counter, type Registry } from 'prom-client'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import {
  type Answer,
  asScript,
  badRequest,
  isCallback,
  type OAuthError,
  refused,
  unavailable,
} from './answer.ts'
import { isUtf8, readForm } from './form.ts'
import { toldHeaders } from './response-headers.ts'
import type { AnswerRevocation } from './revocation-request.ts'

/** What the endpoint works on. */
export interface RevokeEndpointOptions {
  readonly answer: AnswerRevocation
  /** Whether answers can be scripts; those of an identity provider are passed on as they are. */
  readonly jsonp: boolean
  /** Holds an answer back until enforcers have what was published, if the request asks for that. */
  readonly confirm: (request: FastifyRequest, reply: FastifyReply, answer: Answer) => Promise<unknown>
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Origins whose scripts may ask (CORS). */
  readonly corsOrigins: readonly string[]
  readonly registry: Registry
  readonly logger: Logger
}

/** Where the endpoint is. */
export const revokePaths = ['/oauth2/revoke', '/revoke'] as const
const preflightSeconds = 600

/** Adds the endpoint to a server. */
export async function addRevokeEndpoint(
  server: FastifyInstance,
  options: RevokeEndpointOptions,
): Promise<void> {
  const requests = new Counter({
    name: 'rescind_revoker_requests_total',
    help: 'Requests to the revocation endpoint, by what became of them.',
    labelNames: ['outcome'],
    registers: [options.registry],
  })
  const send = (reply: FastifyReply, answer: Answer) => {
    requests.inc({ outcome: answer.outcome })
    const { status, headers, body } = answer
    // Without a body there is no content type but the one that is given.
    return reply
      .code(status)
      .headers(headers)
      .send(body.length === 0 ? undefined : body)
  }
  await server.register(async scope => {
    // RFC 7009 section 2.1 knows forms only; whatever else would be understood in a second way is answered with 415.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request, body, done) => done(null, body),
    )
    scope.setErrorHandler((error: FastifyError | RescindError, request, reply) => {
      const problem = oauthErrorOf(error)
      if (problem.status >= 500 && error.code !== 'ERR_OVERLOADED') {
        options.logger.error({ err: error, path: request.routeOptions.url }, 'request failed')
      }
      return send(reply, refused(problem))
    })
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(options.headers)
    })
    if (options.corsOrigins.length > 0) {
      await scope.register(cors, {
        origin: [...options.corsOrigins],
        methods: ['POST'],
        allowedHeaders: ['Authorization', 'Content-Type', 'Prefer'],
        exposedHeaders: [...toldHeaders, 'Revocation-Status'],
        maxAge: preflightSeconds,
        strictPreflight: true,
      })
    }
    for (const path of revokePaths) {
      scope.post(path, async (request, reply) => {
        const answer = await answerTo(request, options)
        await options.confirm(request, reply, answer)
        return send(reply, answer)
      })
    }
  })
}

async function answerTo(request: FastifyRequest, { answer, jsonp }: RevokeEndpointOptions): Promise<Answer> {
  if (!isUtf8(request.headers['content-type'])) return refused(badRequest('the form must be in UTF-8', 415))
  const form = readForm(typeof request.body === 'string' ? request.body : '')
  if (typeof form === 'string') return refused(badRequest(form))
  const callback = jsonp ? form.get('callback') : undefined
  if (callback !== undefined && !isCallback(callback))
    return refused(badRequest('the parameter callback is not an identifier such as package.callback'))
  const token = form.get('token')
  const { headers, ip: address } = request
  const plain =
    token === undefined
      ? refused(badRequest('the parameter token is missing'))
      : await answer({ token, form, headers, address })
  return callback === undefined ? plain : asScript(plain, callback)
}

/** What could not be decided or stored can be tried again; the rest is at fault itself. */
function oauthErrorOf(error: FastifyError | RescindError): OAuthError {
  const status = error instanceof RescindError ? 503 : (error.statusCode ?? 500)
  return status < 500 ? badRequest(error.message, status) : unavailable('try again later')
}
