/**
 * The API as its callers see it, through Envoy, and what the enforcer counted meanwhile.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** Headers to send; a list is sent as several headers of the same name. */
export type RequestHeaders = Readonly<Record<string, string | string[]>>

/** An answer of the API, or of Envoy in its place. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers to a request and to one with a token that was never revoked, and the checks that the enforcer counted. */
export interface Round {
  readonly answer: ApiAnswer
  readonly control: ApiAnswer
  /** `<outcome> <reason>`, such as `deny revoked`: how often; reasons that were not counted are left out. */
  readonly counted: Readonly<Record<string, number>>
}

/** Envoy, and the enforcer that it asks. */
export interface Gateway {
  /** GET /orders unless another method or path is given. */
  call(headers?: RequestHeaders, options?: { method?: string; path?: string }): Promise<ApiAnswer>
  /** Calls with a bearer token. */
  callWith(token: string): Promise<ApiAnswer>
  /** Calls with these headers, or with this bearer token, and then with the control token. */
  round(headers: RequestHeaders | string): Promise<Round>
}

/** Describes a gateway. `control` gives a token that is valid and never revoked. */
export const createGateway = (options: {
  envoyPort: number
  enforcerAdminPort: number
  control: () => Promise<string>
}): Gateway => {
  const call: Gateway['call'] = (headers = {}, { method = 'GET', path = '/orders' } = {}) =>
    callHttp({ port: options.envoyPort, method, path, headers })
  const callWith = (token: string): Promise<ApiAnswer> => call(withToken(token))
  return {
    call,
    callWith,
    async round(headers) {
      const before = await countsOf(options.enforcerAdminPort)
      const answer = await call(typeof headers === 'string' ? withToken(headers) : headers)
      const control = await callWith(await options.control())
      const after = await countsOf(options.enforcerAdminPort)
      const changes = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      return { answer, control, counted: Object.fromEntries(changes.filter(([, change]) => change !== 0)) }
    },
  }
}

/** The request was rejected with 401 for this very reason, and the control token got 200. */
export const assertDenied = (round: Round, reason: string): void => {
  assert.deepEqual(round.counted, { [`deny ${reason}`]: 1, 'allow allowed': 1 })
  assert.equal(round.answer.status, 401)
  assert.equal(round.control.status, 200)
}

/** The request passed, and so did the control token. */
export const assertAllowed = (round: Round): void => {
  assert.deepEqual(round.counted, { 'allow allowed': 2 })
  assert.equal(round.answer.status, 200)
  assert.equal(round.control.status, 200)
}

/** The header of a bearer token. */
export const withToken = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

/** How often the enforcer with this admin port counted each `<outcome> <reason>` since it started. */
export const countsOf = async (enforcerAdminPort: number): Promise<ReadonlyMap<string, number>> => {
  const metrics = await (await fetch(`http://127.0.0.1:${enforcerAdminPort}/metrics`)).text()
  const line = /^rescind_enforcer_checks_total\{outcome="(\w+)",reason="(\w+)"\} (\d+)$/gm
  return new Map(
    [...metrics.matchAll(line)].map(([, outcome, reason, count]) => [`${outcome} ${reason}`, Number(count)]),
  )
}

const callHttp = (options: {
  port: number
  method: string
  path: string
  headers: RequestHeaders
}): Promise<ApiAnswer> =>
  new Promise((done, fail) => {
    const outgoing = request({ ...options, host: '127.0.0.1', agent: false }, response => {
      text(response).then(
        body => done({ status: response.statusCode ?? 0, headers: response.headers, body }),
        fail,
      )
    })
    outgoing.on('error', fail).end()
  })
