/**
 * The admin API: revoke by any claims of a built-in claim set, or a token, with a bearer token.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Match } from '../revocation/key.ts'
import type { TokenVerifier, VerifyRules } from '../token/verifier.ts'
import { type AdministratorOptions, adminOf, authenticateAdministrator } from './administrators.ts'
import { confirmAnswer } from './confirmation/confirm-answer.ts'
import type { Confirmer } from './confirmation/confirmation.ts'
import { cutNow } from './margins.ts'
import { type Problem, sendProblem } from './problem.ts'
import type { NewRevocation, Published, Publisher } from './publisher.ts'
import { tokenMatch } from './revoked-token.ts'

/** What the admin API works on. */
export interface AdminApiOptions extends AdministratorOptions {
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  readonly confirmer: Confirmer
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

/** Adds `POST /revocations` to a server. */
export function addAdminApi(server: FastifyInstance, options: AdminApiOptions): void {
  server.post<{ Body: RevocationBody }>(
    '/revocations',
    {
      schema: { body: revocationBody },
      onRequest: (request, reply) => authenticateAdministrator(request, reply, options),
    },
    async (request, reply) => {
      const revocation = await newRevocation(request.body, adminOf(request), options)
      if ('status' in revocation) return sendProblem(reply, revocation)
      const publication = await options.publisher.publishAll([revocation])
      const published = publication.each[0] as Published
      const confirmation = await confirmAnswer(request, reply, publication, options.confirmer)
      return reply.code(published.id === undefined ? 200 : 201).send({
        id: published.id ?? null,
        version: published.position,
        match: revocation.match,
        ...(revocation.issuedBefore === undefined ? {} : { issuedBefore: revocation.issuedBefore }),
        expiresAt: published.expiresAt,
        ...(confirmation === undefined ? {} : { confirmation }),
      })
    },
  )
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

function invalid(detail: string): Problem {
  return { status: 400, code: 'ERR_REVOCATION_INVALID', detail }
}
