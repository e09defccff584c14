/**
 * A real Keycloak with a realm of its own: users, confidential clients and a public one.
 *
 * @module
 */
import { findService } from '../services/catalogue.ts'
import { startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'

/** The clients of the realm. */
export const keycloakClients = {
  app: { id: 'app', secret: 'app-secret' },
  other: { id: 'other', secret: 'other-secret' },
  /** It has no secret. */
  spa: { id: 'spa', secret: '' },
} as const

/** What a client gets when a user signs in. */
export interface KeycloakTokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken: string
}

/** A running Keycloak on 127.0.0.1. */
export interface Keycloak {
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly revocationEndpoint: string
  /** Signs a user in at a client. */
  signIn(client: keyof typeof keycloakClients, user?: string): Promise<KeycloakTokens>
  /** A new access token for a refresh token; the status of the answer if there is none. */
  refresh(client: keyof typeof keycloakClients, refreshToken: string): Promise<KeycloakTokens | number>
  stop(): Promise<void>
}

const realm = 'rescind'
const startLimitMs = 240_000

/** The users of the realm; their password is their name. */
export const keycloakUsers = ['alice', 'bob'] as const

/** Starts it. Throws, with everything stopped again, if it does not start. */
export async function startKeycloak(): Promise<Keycloak> {
  const program = findService('keycloak')
  if (program === undefined) throw new Error('keycloak is missing here: npm run services -- keycloak')
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const args = ['start', '--optimized', '--cache=local', '--http-enabled=true', '--hostname-strict=false']
  const child = await startChild(program, [...args, '--http-host=127.0.0.1', `--http-port=${port}`], {
    env: { KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin' },
  })
  const isUp = () =>
    fetch(`${origin}/realms/master`).then(
      answer => answer.ok,
      () => false,
    )
  try {
    await until('Keycloak is up', isUp, {
      timeoutMs: startLimitMs,
      giveUp: () => (child.exitCode === undefined ? undefined : `it ended with ${child.exitCode}`),
    })
    await createRealm(origin)
  } catch (error) {
    await child.stop()
    throw new Error(`${(error as Error).message}\n${child.output()}`, { cause: error })
  }
  const endpoint = `${origin}/realms/${realm}/protocol/openid-connect`
  const ask = (client: keyof typeof keycloakClients, fields: Record<string, string>) => {
    const { id, secret } = keycloakClients[client]
    return post(`${endpoint}/token`, {
      client_id: id,
      ...(secret === '' ? {} : { client_secret: secret }),
      ...fields,
    })
  }
  return {
    issuer: `${origin}/realms/${realm}`,
    revocationEndpoint: `${endpoint}/revoke`,
    signIn: async (client, user = 'alice') =>
      tokensOf(
        await ask(client, { grant_type: 'password', username: user, password: user, scope: 'openid' }),
      ),
    async refresh(client, refreshToken) {
      const answer = await ask(client, { grant_type: 'refresh_token', refresh_token: refreshToken })
      return answer.ok ? tokensOf(answer) : answer.status
    },
    stop: () => child.stop(),
  }
}

async function tokensOf(answer: Response): Promise<KeycloakTokens> {
  const body = (await answer.json()) as Record<string, string>
  const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken } = body
  if (accessToken === undefined || refreshToken === undefined || idToken === undefined)
    throw new Error(`Keycloak answered ${answer.status}: ${JSON.stringify(body)}`)
  return { accessToken, refreshToken, idToken }
}

const post = (url: string, fields: Record<string, string>): Promise<Response> =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields) })

async function createRealm(origin: string): Promise<void> {
  const login = { client_id: 'admin-cli', grant_type: 'password', username: 'admin', password: 'admin' }
  const answer = await post(`${origin}/realms/master/protocol/openid-connect/token`, login)
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  const created = await fetch(`${origin}/admin/realms`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(realmDocument()),
  })
  if (!created.ok) throw new Error(`POST /admin/realms answered ${created.status}: ${await created.text()}`)
}

const realmDocument = (): object => ({
  realm,
  enabled: true,
  sslRequired: 'none',
  users: keycloakUsers.map(name => ({
    username: name,
    enabled: true,
    email: `${name}@example.test`,
    emailVerified: true,
    firstName: name,
    lastName: name,
    credentials: [{ type: 'password', value: name, temporary: false }],
  })),
  clients: Object.values(keycloakClients).map(({ id, secret }) => ({
    clientId: id,
    enabled: true,
    directAccessGrantsEnabled: true,
    redirectUris: [],
    ...(secret === '' ? { publicClient: true } : { publicClient: false, secret }),
  })),
})
