/**
 * The admin API: revoke by any claims of a built-in claim set, or a token, with a bearer token.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { RescindError } from '../revocation/error.ts'
import type { Match } from '../revocation/key.ts'
import type { SecretVerifier } from '../token/secret.ts'
import type { TokenVerifier, VerifyRules } from '../token/verifier.ts'
import { cutNow } from './margins.ts'
import type { NewRevocation, Publisher } from './publisher.ts'
import { tokenMatch } from './revoked-token.ts'

/** What the admin API works on. */
export interface AdminApiOptions {
  /** Who may use it; with none it answers 404. */
  readonly tokens: readonly { readonly name: string; readonly hash: string }[]
  readonly secrets: SecretVerifier
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  /** Issuers of the configuration; a revocation that names another one would revoke nothing. */
  readonly issuers: readonly string[]
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

const seconds = Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1 })

const revocationBody = Type.Object(
  {
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 16_384 })),
    match: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    issuedBefore: Type.Optional(Type.Union([Type.Literal('now'), seconds])),
    expiresAt: Type.Optional(seconds),
    issuerWide: Type.Optional(Type.Boolean()),
    reason: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: false },
)

type RevocationBody = Static<typeof revocationBody>

/** A request that cannot be carried out, as RFC 9457 problem details. */
interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
}

const bearer = /^bearer +(\S+)$/i

/** Adds `POST /revocations` to a server. */
export function addAdminApi(server: FastifyInstance, options: AdminApiOptions): void {
  server.post<{ Body: RevocationBody }>(
    '/revocations',
    {
      schema: { body: revocationBody },
      onRequest: (request, reply) => authenticate(request, reply, options),
    },
    async (request, reply) => {
      const revocation = await newRevocation(request.body, adminOf(request), options)
      if ('status' in revocation) return sendProblem(reply, revocation)
      const published = await options.publisher.publish(revocation)
      return reply.code(published.id === undefined ? 200 : 201).send({
        id: published.id ?? null,
        version: published.position,
        match: revocation.match,
        ...(revocation.issuedBefore === undefined ? {} : { issuedBefore: revocation.issuedBefore }),
        expiresAt: published.expiresAt,
      })
    },
  )
}

const administrators = new WeakMap<FastifyRequest, string>()

function adminOf(request: FastifyRequest): string {
  return administrators.get(request) as string
}

async function authenticate(request: FastifyRequest, reply: FastifyReply, options: AdminApiOptions) {
  if (options.tokens.length === 0) {
    const detail = 'the admin API is off; set revoker.admin.tokens to use it'
    return sendProblem(reply, { status: 404, code: 'ERR_ADMIN_OFF', detail })
  }
  const token = bearer.exec(request.headers.authorization ?? '')?.[1]
  const name = token === undefined ? undefined : await administratorOf(token, options)
  if (name !== undefined) {
    administrators.set(request, name)
    return undefined
  }
  reply.header('WWW-Authenticate', token === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
  const detail = 'a bearer token of revoker.admin.tokens is needed'
  return sendProblem(reply, { status: 401, code: 'ERR_ADMIN_UNAUTHENTICATED', detail })
}

async function administratorOf(
  token: string,
  { tokens, secrets }: AdminApiOptions,
): Promise<string | undefined> {
  for (const { name, hash } of tokens) {
    if (await secrets.verify(`admin ${name}`, token, hash)) return name
  }
  return undefined
}

async function newRevocation(
  body: RevocationBody,
  administrator: string,
  options: AdminApiOptions,
): Promise<NewRevocation | Problem> {
  const texts = {
    actor: `admin:${administrator}`,
    ...(body.reason === undefined ? {} : { reason: body.reason }),
  }
  if ((body.token === undefined) === (body.match === undefined)) return invalid('give either token or match')
  if (body.token !== undefined) return tokenRevocation(body, texts, options)
  const match = body.match as Match
  return (
    issuerProblem(match, body.issuerWide === true, options.issuers) ?? {
      match,
      ...texts,
      ...(body.expiresAt === undefined ? {} : { expiresAt: body.expiresAt }),
      ...(body.issuedBefore === undefined
        ? {}
        : {
            issuedBefore:
              body.issuedBefore === 'now' ? cutNow(match, options.nowSeconds()) : body.issuedBefore,
          }),
    }
  )
}

async function tokenRevocation(
  body: RevocationBody,
  texts: { readonly actor: string; readonly reason?: string },
  { verifier, rules }: AdminApiOptions,
): Promise<NewRevocation | Problem> {
  if (body.issuedBefore !== undefined || body.expiresAt !== undefined) {
    return invalid('token: a token is revoked until it expires; leave out issuedBefore and expiresAt')
  }
  const verification = await verifier.verify(body.token as string, rules())
  if (verification.ok) {
    const { token } = verification
    return { match: tokenMatch(token), expiresAt: token.expSeconds, tokenType: 'JWT', ...texts }
  }
  if (verification.unavailable) {
    return {
      status: 503,
      code: 'ERR_KEYS_UNAVAILABLE',
      detail: "the issuer's keys are not available; try again",
    }
  }
  return invalid(`token: not a token that an enforcer accepts (${verification.reason})`)
}

/** An issuer-wide revocation needs a flag, and a misspelt issuer would revoke nothing. */
function issuerProblem(match: Match, issuerWide: boolean, issuers: readonly string[]): Problem | undefined {
  const names = Object.keys(match)
  if (Object.hasOwn(match, 'iss') && !issuers.includes(String(match.iss))) {
    return invalid(`match.iss: not one of the configured issuers (${issuers.join(', ') || 'none'})`)
  }
  const isWide = names.length > 0 && names.every(name => name === 'iss' || name === '$kid')
  if (isWide && !issuerWide) {
    return invalid(
      'match: this revokes every token of an issuer or of its key; set issuerWide to true if you mean it',
    )
  }
  return undefined
}

/** Sends problem details (RFC 9457). */
export function sendProblem(reply: FastifyReply, { status, code, detail }: Problem): FastifyReply {
  if (status === 503) reply.header('Retry-After', '1')
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: code, status, code, detail })
}

function invalid(detail: string): Problem {
  return { status: 400, code: 'ERR_REVOCATION_INVALID', detail }
}

const statuses: Readonly<Record<string, number>> = {
  ERR_REVOCATION_INVALID: 400,
  ERR_CLAIM_SET_UNKNOWN: 400,
  ERR_EVENT_TOO_LARGE: 413,
}

/** The problem that an error of ours is: what the request did wrong, or 503 because something is missing here. */
export function problemOf(error: RescindError): Problem {
  return { status: statuses[error.code] ?? 503, code: error.code, detail: error.message }
}
