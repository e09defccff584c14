/**
 * Everything that the demo runs, started and stopped together.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningEnvoy, startEnvoy } from '../test/support/envoy.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../test/support/openid-provider.ts'
import { freePort } from '../test/support/ports.ts'
import { type RescindProcess, startRescind } from '../test/support/processes.ts'
import { startUpstream } from '../test/support/upstream.ts'
import { hashSecret } from '../token/secret.ts'
import { askEnforcer } from './ask-enforcer.ts'

/** An answer of the API, or of Envoy or the enforcer in its place. */
export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

/** The running demo. */
export interface Demo {
  readonly provider: OpenIdProvider
  /** The call in words. */
  readonly callText: string
  readonly revokeUrl: string
  /** Calls the API with a token. */
  call(token: string): Promise<ApiAnswer>
  /** Revokes a token, as its client. */
  revoke(token: string): Promise<{ status: number; headers: readonly (readonly [string, string])[] }>
  /** What the adapter logged about revocations. */
  adapterLines(): readonly string[]
  /** Commands to try by hand. */
  commands(): readonly string[]
  stop(): Promise<void>
}

const client = { id: 'demo-client', secret: 'demo-secret' }
const shownHeaders = ['revokedaccesstoken', 'authorizeduser', 'cache-control', 'x-frame-options']

/** Starts everything; without an Envoy the enforcer is asked directly. */
export async function startDemo(envoyBinary: string | undefined): Promise<Demo> {
  const started: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const end of started.reverse()) await end()
  }
  const keep = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    started.push(() => part.stop())
    return part
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), 'rescind-demo-'))
    started.push(async () => rmSync(folder, { recursive: true, force: true }))
    const provider = keep(await startOpenIdProvider())
    const upstream = keep(await startUpstream())
    const ports = { revoker: await freePort(), enforcer: await freePort() }
    const adminToken = randomBytes(24).toString('base64url')
    const config = await configOf(provider, ports, folder, adminToken)
    const rescind = keep(await startRescind(['all'], { config }))
    const envoy = envoyBinary
      ? keep(
          await startEnvoy({
            enforcerPort: ports.enforcer,
            upstreamPort: upstream.port,
            binary: envoyBinary,
          }),
        )
      : undefined
    return { provider, stop, ...demoOf(provider, rescind, envoy, ports, adminToken) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function configOf(
  provider: OpenIdProvider,
  ports: { readonly revoker: number; readonly enforcer: number },
  folder: string,
  adminToken: string,
) {
  return {
    log: { format: 'json' },
    issuers: [{ issuer: provider.issuer, audiences: [provider.audience] }],
    eventLog: { folder: join(folder, 'log') },
    revoker: {
      address: `127.0.0.1:${ports.revoker}`,
      adminAddress: '127.0.0.1:0',
      clients: [{ id: client.id, secretHash: await hashSecret(client.secret) }],
      admin: { tokens: [{ name: 'demo', hash: await hashSecret(adminToken) }] },
    },
    adapter: { address: '127.0.0.1:0', adminAddress: '127.0.0.1:0' },
    enforcer: { address: `127.0.0.1:${ports.enforcer}`, adminAddress: '127.0.0.1:0', drainDelay: '0s' },
  }
}

function demoOf(
  provider: OpenIdProvider,
  rescind: RescindProcess,
  envoy: RunningEnvoy | undefined,
  ports: { readonly revoker: number; readonly enforcer: number },
  adminToken: string,
): Omit<Demo, 'provider' | 'stop'> {
  const apiUrl = `http://127.0.0.1:${envoy?.port}/orders`
  const revokerUrl = `http://127.0.0.1:${ports.revoker}`
  const revokeUrl = `${revokerUrl}/oauth2/revoke`
  return {
    callText: envoy ? `GET ${apiUrl}` : `ext_authz Check at 127.0.0.1:${ports.enforcer}`,
    revokeUrl,
    call: token => (envoy ? callApi(apiUrl, token) : askEnforcer(ports.enforcer, token)),
    revoke: token => revokeAsClient(revokeUrl, token),
    adapterLines: () =>
      rescind
        .logs()
        .map(line => String(line.msg))
        .filter(message => /^(RevokedToken:|New Revoked token)/.test(message)),
    commands: () => [
      '# get a token',
      `export TOKEN=$(curl -s --user ${client.id}:${client.secret} -d grant_type=client_credentials \\`,
      `  -d resource=${provider.audience} ${provider.issuer}/token | node -pe 'JSON.parse(fs.readFileSync(0)).access_token')`,
      '# use it',
      envoy
        ? `curl -i -H "Authorization: Bearer $TOKEN" ${apiUrl}`
        : `(an Envoy with envoy/envoy.yaml, its enforcer at 127.0.0.1:${ports.enforcer}, would check calls with it)`,
      '# revoke it, as the client or as an administrator',
      `curl -i --user ${client.id}:${client.secret} -d "token=$TOKEN" ${revokeUrl}`,
      `echo "$TOKEN" | RESCIND_ADMIN_TOKEN=${adminToken} npx rescind revoke - --server ${revokerUrl}`,
    ],
  }
}

async function callApi(url: string, token: string): Promise<ApiAnswer> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.text() }
}

async function revokeAsClient(url: string, token: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` },
    body: new URLSearchParams({ token }),
  })
  await response.arrayBuffer()
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => shownHeaders.includes(name)),
  }
}
