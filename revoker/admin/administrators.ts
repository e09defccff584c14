/**
 * Who may use the admin API: bearers of a configured token or of an access token with the scope, or clients with a
 * certificate. There are no cookies, so no page of another site can ask in somebody's name.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../../runtime/logger.ts'
import { notTooOften } from '../../runtime/not-too-often.ts'
import { parseJwt } from '../../token/jwt.ts'
import { type BearerToken, bearerOf, createBearerTokens, createGuesses } from '../clients/bearer-tokens.ts'
import { addressKey } from '../clients/token-buckets.ts'
import { type Problem, sendProblem, tooManyGuesses } from '../problem.ts'
import { type AccessTokenOptions, judgeAccessToken } from './access-tokens.ts'
import { certificateName } from './client-certificate.ts'

/** The administrators. With none the admin API answers 404. */
export interface AdministratorOptions {
  readonly tokens: readonly BearerToken[]
  /** Undefined: no JWT is taken. */
  readonly accessTokens: AccessTokenOptions | undefined
  /** Names in client certificates with their kinds, as {@link certificateName} has them. */
  readonly certificates: readonly string[]
  readonly logger: Logger
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Lets administrators in. */
export interface Administrators {
  readonly areThere: boolean
  /** For `onRequest`: answers, unless an administrator asks. */
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<unknown>
}

/** Somebody, or why nobody. */
type Identified = { readonly name: string } | (Problem & { readonly headers: Record<string, string> })

const names = new WeakMap<FastifyRequest, string>()

/** The name of the administrator who made a request that was let in. */
export const adminOf = (request: FastifyRequest): string => names.get(request) as string

/** Creates the gate of the admin API. */
export function createAdministrators(options: AdministratorOptions): Administrators {
  const identify = identifier(options)
  const areThere =
    options.tokens.length > 0 || options.accessTokens !== undefined || options.certificates.length > 0
  const report = notTooOften(1_000, (heldBack, from: string, path: string | undefined, code: string) =>
    options.logger.warn({ from, path, code, notLogged: heldBack }, 'an administrator was refused'),
  )
  return {
    areThere,
    async authenticate(request, reply) {
      if (!areThere) return sendProblem(reply, adminOff)
      const identified = await identify(request)
      if ('name' in identified) {
        names.set(request, identified.name)
        return undefined
      }
      report(request.ip, request.routeOptions.url, identified.code)
      return sendProblem(reply.headers(identified.headers), identified)
    },
  }
}

/** Nobody is configured. */
export const adminOff: Problem = {
  status: 404,
  code: 'ERR_ADMIN_OFF',
  detail: 'the admin API is off; set revoker.admin.tokens, jwt or certificates to use it',
}

/** An Authorization header counts alone; without one the certificate does. */
function identifier({ tokens, accessTokens, certificates, nowSeconds }: AdministratorOptions) {
  const guesses = createGuesses()
  const bearerTokens = createBearerTokens(tokens, guesses)

  const byToken = async (token: string, address: string): Promise<Identified> => {
    const bearer = await bearerTokens.identify(token, address)
    if (bearer === 'unknown') return wrong('a bearer token of an administrator is needed')
    return 'waitMs' in bearer ? tooOften(bearer.waitMs) : bearer
  }

  const byAccessToken = async (
    token: string,
    address: string,
    judgedBy: AccessTokenOptions,
  ): Promise<Identified> => {
    const verdict = await judgeAccessToken(token, judgedBy)
    if ('name' in verdict) return verdict
    if ('unknown' in verdict) return { ...verdict.unknown, headers: {} }
    const waitMs = guesses.take(addressKey(address))
    if (waitMs > 0) return tooOften(waitMs)
    return wrong(`the access token is not one of an administrator (${verdict.refused})`)
  }

  return async (request: FastifyRequest): Promise<Identified> => {
    const { authorization } = request.headers
    if (authorization === undefined) {
      const name = isOfOtherSite(request) ? undefined : certificateName(request.raw.socket, nowSeconds())
      const isListed = name !== undefined && certificates.includes(name)
      return isListed ? { name: `certificate:${name}` } : missing
    }
    const token = bearerOf(authorization)
    if (token === undefined) return missing
    const isJwt = accessTokens !== undefined && parseJwt(token) !== undefined
    return isJwt ? byAccessToken(token, request.ip, accessTokens) : byToken(token, request.ip)
  }
}

/** A browser shows a certificate whichever page asks (https://www.w3.org/TR/fetch-metadata/). */
const isOfOtherSite = ({ headers }: FastifyRequest): boolean =>
  ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site']))

const unauthenticated = (detail: string, challenge: string): Identified => ({
  status: 401,
  code: 'ERR_ADMIN_UNAUTHENTICATED',
  detail,
  headers: { 'WWW-Authenticate': challenge },
})

const missing = unauthenticated('a bearer token of an administrator is needed', 'Bearer')

/** RFC 6750 section 3.1. */
const wrong = (detail: string) => unauthenticated(detail, 'Bearer error="invalid_token"')

const tooOften = (waitMs: number): Identified => ({ ...tooManyGuesses(waitMs), headers: {} })
