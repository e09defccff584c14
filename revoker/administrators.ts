/**
 * Who may use the admin API: bearers of a token of `revoker.admin.tokens`.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SecretVerifier } from '../token/secret.ts'
import { sendProblem } from './problem.ts'

/** The administrators. */
export interface AdministratorOptions {
  /** With none the admin API answers 404. */
  readonly tokens: readonly { readonly name: string; readonly hash: string }[]
  readonly secrets: SecretVerifier
}

const bearer = /^bearer +(\S+)$/i

const administrators = new WeakMap<FastifyRequest, string>()

/** The name of the administrator who made a request that was let in. */
export function adminOf(request: FastifyRequest): string {
  return administrators.get(request) as string
}

/** For `onRequest`: answers, unless an administrator asks. */
export async function authenticateAdministrator(
  request: FastifyRequest,
  reply: FastifyReply,
  options: AdministratorOptions,
) {
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
  { tokens, secrets }: AdministratorOptions,
): Promise<string | undefined> {
  for (const { name, hash } of tokens) {
    if (await secrets.verify(`admin ${name}`, token, hash)) return name
  }
  return undefined
}
