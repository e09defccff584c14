/**
 * The identity provider behind a relay: its revocation endpoint (RFC 7009) and its introspection endpoint (RFC 7662).
 *
 * @module
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions, request as requestHttps } from 'node:https'
import { RescindError } from '../../revocation/error.ts'
import { type JsonObject, ownMember, parseJsonObject } from '../../revocation/json-object.ts'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import { readLimited } from '../../token/read-limited.ts'
import type { RevocationRequest } from '../endpoint/revocation-request.ts'

/** Where it is, and how it is asked. */
export interface IdentityProviderOptions {
  /** Its revocation endpoint. */
  readonly endpoint: string
  /** Asked what a token is before it is revoked; undefined: never. */
  readonly introspection:
    | { readonly endpoint: string; readonly clientId: string; readonly clientSecret: string }
    | undefined
  readonly tls: ClientTlsOptions
  /** For one request. */
  readonly timeoutMs: number
}

/** What the identity provider answered. */
export interface ProviderAnswer {
  readonly status: number
  /** Without those that are of the connection. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

/** Asks the identity provider. */
export interface IdentityProvider {
  /** Passes a request on. @throws ProviderUnreachable */
  revoke(request: RevocationRequest): Promise<ProviderAnswer>
  /**
   * What the identity provider says of a token that is active; undefined of any other, and of a kind of token of which it
   * says nothing.
   *
   * @throws ProviderUnreachable also when it does not answer as RFC 7662 says
   */
  introspect(token: string, hint: string | undefined): Promise<JsonObject | undefined>
  close(): void
}

/** ERR_PROVIDER_UNREACHABLE: there was no answer. */
export class ProviderUnreachable extends RescindError {
  /** The request may have reached the identity provider. */
  readonly mayHaveArrived: boolean

  constructor(message: string, mayHaveArrived: boolean, cause?: unknown) {
    super('ERR_PROVIDER_UNREACHABLE', message, { cause })
    this.mayHaveArrived = mayHaveArrived
  }
}

/** The error for a kind of token that the endpoint does not deal with (RFC 7009 section 2.2.1). */
export const unsupportedType = 'unsupported_token_type'

/** The OAuth error that a 400 names (RFC 6749 section 5.2); undefined of any other answer. */
export function errorOf({ status, body }: Pick<ProviderAnswer, 'status' | 'body'>): unknown {
  const document = status === 400 ? parseJsonObject(body, depthLimit) : undefined
  return document && ownMember(document, 'error')
}

const formType = 'application/x-www-form-urlencoded'
const answerLimitBytes = 64 * 1024
const headersLimitBytes = 64 * 1024
const depthLimit = 16
const connectionsLimit = 256

/** What of a request concerns the identity provider; the form is encoded anew, and never read by another charset. */
const passedOn = ['authorization', 'accept', 'accept-language', 'dpop', 'user-agent'] as const

/** Headers of one connection (RFC 9110 section 7.6.1), and those that are set anew. */
const notPassedBack =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|date|access-control-.*|revocation-status)$/

/** Creates the link to an identity provider. */
export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
  const limits = { keepAlive: true, maxSockets: connectionsLimit }
  const agents = { http: new HttpAgent(limits), https: new HttpsAgent({ ...limits, ...options.tls }) }
  const post = (endpoint: string, headers: RequestOptions['headers'], body: string) =>
    send(new URL(endpoint), { agents, headers, body, timeoutMs: options.timeoutMs })

  return {
    revoke: ({ headers, form }) => {
      const kept = passedOn.flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]]))
      return post(options.endpoint, { ...Object.fromEntries(kept), 'content-type': formType }, form.text)
    },
    async introspect(token, hint) {
      const { introspection } = options
      if (introspection === undefined) return undefined
      const { endpoint, clientId, clientSecret } = introspection
      const body = new URLSearchParams({ token, ...(hint === undefined ? {} : { token_type_hint: hint }) })
      const answer = await post(
        endpoint,
        {
          authorization: basicOf(clientId, clientSecret),
          'content-type': formType,
          accept: 'application/json',
        },
        body.toString(),
      )
      if (errorOf(answer) === unsupportedType) return undefined
      const document = answer.status === 200 ? parseJsonObject(answer.body, depthLimit) : undefined
      if (document === undefined)
        throw new ProviderUnreachable(`${endpoint} answered ${answer.status}, not as RFC 7662 says`, false)
      return ownMember(document, 'active') === true ? document : undefined
    },
    close: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

interface Sending {
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  readonly headers: RequestOptions['headers']
  readonly body: string
  readonly timeoutMs: number
}

function send(url: URL, { agents, headers, body, timeoutMs }: Sending): Promise<ProviderAnswer> {
  const isSecure = url.protocol === 'https:'
  const options = {
    method: 'POST',
    agent: isSecure ? agents.https : agents.http,
    headers: { ...headers, 'content-length': Buffer.byteLength(body), 'accept-encoding': 'identity' },
    signal: AbortSignal.timeout(timeoutMs),
    maxHeaderSize: headersLimitBytes,
  }
  return new Promise((done, fail) => {
    let isConnected = false
    const failed = (error: Error) =>
      fail(new ProviderUnreachable(`${url.origin}: ${error.message}`, isConnected, error))
    const request = (isSecure ? requestHttps : requestHttp)(url, options, response => {
      readBody(response).then(
        bytes => done({ status: response.statusCode ?? 502, headers: keptHeaders(response), body: bytes }),
        failed,
      )
    })
    request.on('socket', socket => {
      if (!socket.connecting) isConnected = true
      else socket.once(isSecure ? 'secureConnect' : 'connect', () => (isConnected = true))
    })
    request.on('error', failed)
    // Nobody has asked for another protocol; without this there would be neither answer nor error.
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      failed(new Error('it answered with another protocol'))
    })
    request.end(body)
  })
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const body = await readLimited(response, answerLimitBytes)
  if (body.length === 0 && !saysItsEnd(response)) throw new Error('the answer may have been cut off')
  return body
}

/** An answer that ends with its connection may have been longer (RFC 9112 section 6.3). */
const saysItsEnd = ({ headers, statusCode }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || statusCode === 204

function keptHeaders({ headersDistinct }: IncomingMessage): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    const [only = '', ...others] = values
    if (!notPassedBack.test(name)) kept[name] = others.length === 0 ? only : values
  }
  return kept
}

/** Both parts are form-url-encoded first (RFC 6749 section 2.3.1). */
function basicOf(id: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}
