/**
 * Revoking over HTTP: as an OAuth client (RFC 7009) and as an administrator.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { adminToken } from './stack.ts'

/** An OAuth client. */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

/** What a revocation is answered with. */
export interface RevokerAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** The body of a successful answer of the admin API. */
export interface AdminAnswer {
  /** null if it was revoked already. */
  readonly id: string | null
  readonly version: number
  readonly match: Readonly<Record<string, unknown>>
  readonly issuedBefore?: number
  readonly expiresAt: number
}

/** The header of HTTP Basic authentication (RFC 7617). */
export const basic = ({ id, secret }: ClientCredentials): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

/** Sends a POST to a revoker at 127.0.0.1. */
export const post = async (
  port: number,
  path: string,
  body: string | URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<RevokerAnswer> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** Revokes a token at /oauth2/revoke as a client does, by HTTP Basic. */
export const revokeAs = (port: number, client: ClientCredentials, token: string): Promise<RevokerAnswer> =>
  post(port, '/oauth2/revoke', new URLSearchParams({ token }), basic(client))

/** The same as options for `request` of node:http, and the body; for who sends very many. */
export const revocationRequest = (port: number, client: ClientCredentials, token: string) => {
  const body = `token=${token}`
  const headers = {
    ...basic(client),
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  }
  return { body, options: { host: '127.0.0.1', port, path: '/oauth2/revoke', method: 'POST', headers } }
}

/** Sends a body to the admin API. */
export const postRevocation = (
  port: number,
  body: object,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${adminToken}` },
): Promise<RevokerAnswer> =>
  post(port, '/revocations', JSON.stringify(body), { 'content-type': 'application/json', ...headers })

/** Revokes as an administrator. Throws unless it was accepted. */
export const revokeAsAdmin = async (port: number, body: object): Promise<AdminAnswer> => {
  const answer = await postRevocation(port, body)
  if (answer.status === 200 || answer.status === 201) return JSON.parse(answer.body) as AdminAnswer
  throw new Error(`POST /revocations answered ${answer.status}: ${answer.body}`)
}

/** The version of the log, read by appending to it: an unrelated revocation takes exactly one. */
export const takeVersion = async (port: number): Promise<number> => {
  const jti = `marker-${randomUUID()}`
  const expiresAt = Math.floor(Date.now() / 1000) + 60
  return (await revokeAsAdmin(port, { match: { jti }, expiresAt })).version
}

/** Fails unless `action` appends nothing to the log. */
export const assertNothingAppended = async <Result>(
  port: number,
  action: () => Promise<Result>,
): Promise<Result> => {
  const before = await takeVersion(port)
  const result = await action()
  assert.equal(await takeVersion(port), before + 1, 'something was appended')
  return result
}
