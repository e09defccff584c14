/**
 * A certified OpenID Provider (oidc-provider) in this process that issues JWT access tokens (RFC 9068) for the API.
 *
 * @module
 */
import { createServer, type RequestListener } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { testAudience } from './issuer.ts'
import { close, listen } from './listening.ts'

const secrets = { 'demo-client': 'demo-secret', 'other-client': 'other-secret' } as const
const tokenLifetimeSeconds = 600
/** Tokens for this API are opaque. */
const opaqueAudience = 'https://opaque.example.test'

/** The clients that it knows; the secret of `demo-client` is `demo-secret`, that of `other-client` `other-secret`. */
export type OpenIdClient = keyof typeof secrets

/** A running OpenID Provider on 127.0.0.1. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly jwksUri: string
  /** The `aud` of its access tokens. */
  readonly audience: string
  /**
   * Fetches an access token, good for 10 minutes, from the token endpoint by client_credentials, for `demo-client` and
   * without a scope unless given (`read`, `write`); an opaque one if asked for. Throws with the endpoint's answer if it
   * is not a token.
   */
  token(options?: { client?: OpenIdClient; scope?: string; opaque?: boolean }): Promise<string>
  readonly revocationEndpoint: string
  readonly introspectionEndpoint: string
  stop(): Promise<void>
}

/** Starts the provider, on a free port unless one is given. */
export const startOpenIdProvider = async (options: { port?: number } = {}): Promise<OpenIdProvider> => {
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end()
  const server = createServer((request, response) => handle(request, response))
  const issuer = `http://127.0.0.1:${await listen(server, options.port)}`
  handle = await createProvider(issuer)
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    audience: testAudience,
    revocationEndpoint: `${issuer}/token/revocation`,
    introspectionEndpoint: `${issuer}/token/introspection`,
    token: ({ client = 'demo-client', scope, opaque = false } = {}) =>
      fetchToken(issuer, client, { scope, resource: opaque ? opaqueAudience : testAudience }),
    stop: () => close(server, () => server.closeAllConnections()),
  }
}

const createProvider = async (issuer: string): Promise<RequestListener> => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: 'op-1', alg: 'RS256', use: 'sig' }
  return withoutItsWarnings(async () => {
    const { default: Provider } = await import('oidc-provider')
    return new Provider(issuer, configuration(key)).callback()
  })
}

/** RFC 7009 section 2.1: a client revokes its own tokens. */
const isOwnToken = (
  _context: unknown,
  client: { readonly clientId: string },
  token: { readonly clientId?: string },
): boolean => token.clientId === client.clientId

const configuration = (key: object): object => ({
  jwks: { keys: [key] },
  clients: Object.entries(secrets).map(([client_id, client_secret]) => ({
    client_id,
    client_secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
  scopes: ['read', 'write'],
  ttl: { ClientCredentials: tokenLifetimeSeconds },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: isOwnToken },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => testAudience,
      getResourceServerInfo: (_context: unknown, resource: string) => ({
        scope: 'read write',
        audience: resource,
        accessTokenFormat: resource === opaqueAudience ? 'opaque' : 'jwt',
        accessTokenTTL: tokenLifetimeSeconds,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
})

/** It warns of its in-memory storage and of Node 20, neither of which matters here; others still get through. */
const withoutItsWarnings = async <Value>(action: () => Promise<Value>): Promise<Value> => {
  const { warn } = console
  console.warn = (...args: unknown[]) => {
    if (!String(args[0]).includes('oidc-provider WARNING')) warn(...args)
  }
  try {
    return await action()
  } finally {
    console.warn = warn
  }
}

const fetchToken = async (
  issuer: string,
  client: OpenIdClient,
  { scope, resource }: { readonly scope: string | undefined; readonly resource: string },
): Promise<string> => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource })
  if (scope !== undefined) body.set('scope', scope)
  const credentials = Buffer.from(`${client}:${secrets[client]}`).toString('base64')
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body,
  })
  const answer = (await response.json()) as { access_token?: string }
  if (answer.access_token === undefined)
    throw new Error(`${issuer}/token answered ${response.status}: ${JSON.stringify(answer)}`)
  return answer.access_token
}
