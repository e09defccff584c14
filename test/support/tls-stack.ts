/**
 * `rescind all` whose adapter speaks TLS, and enforcers of their own at it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import {
  type CertificateFiles,
  createAuthority,
  createTestFolder,
  type TestAuthority,
  type TestFolder,
} from './certificates.ts'
import { until } from './condition.ts'
import { createEnforcerClient, type EnforcerClient } from './enforcer-client.ts'
import { freePort } from './ports.ts'
import { type RescindProcess, startRescind } from './processes.ts'
import { revokeAsAdmin } from './revoking.ts'
import { type Stack, startStack } from './stack.ts'

/** The name in the certificate of the adapter. */
export const serverName = 'adapter.test'

/** The name in the certificates of enforcers. */
export const enforcerIdentity = 'spiffe://shop/enforcer'

/** A certificate for an adapter. */
export const issueForServer = (authority: TestAuthority, name = 'adapter'): Promise<CertificateFiles> =>
  authority.issue(name, { names: `DNS:${serverName}`, usage: 'serverAuth' })

/** A certificate for an enforcer. */
export const issueForClient = (
  authority: TestAuthority,
  identity = enforcerIdentity,
): Promise<CertificateFiles> =>
  authority.issue('enforcer', { names: `DNS:enforcer.test,URI:${identity}`, usage: 'clientAuth' })

/** A running stack, and what its certificates come from. */
export interface TlsStack {
  readonly stack: Stack
  /** For further files. */
  readonly folder: TestFolder
  readonly authority: TestAuthority
  readonly ofServer: CertificateFiles
  /** For enforcers; only with mTLS somebody asks for it. */
  readonly ofClient: CertificateFiles
  stop(): Promise<void>
}

/** Starts a stack whose adapter has a certificate of an authority of its own; with `mTLS` it asks for one too. */
export const startTlsStack = async ({ mTLS }: { readonly mTLS: boolean }): Promise<TlsStack> => {
  const folder = createTestFolder()
  try {
    const authority = await createAuthority(folder.path, 'authority')
    const [ofServer, ofClient] = [await issueForServer(authority), await issueForClient(authority)]
    const { caFile } = authority
    const stack = await startStack({
      edit: config => {
        config.adapter.tls = { ...ofServer, ...(mTLS ? { clientCaFile: caFile } : {}) }
        config.enforcer.discovery = { tls: { enabled: true, caFile, serverName, ...(mTLS ? ofClient : {}) } }
      },
    })
    const stop = async () => {
      await stack.stop()
      folder.remove()
    }
    return { stack, folder, authority, ofServer, ofClient, stop }
  } catch (error) {
    folder.remove()
    throw error
  }
}

/** `enforcer.discovery.tls` as it is written. */
export type OwnTls = Readonly<Record<string, unknown>>

/** An enforcer in a process of its own. */
export interface TlsEnforcer {
  readonly process: RescindProcess
  readonly client: EnforcerClient
  stop(): Promise<void>
}

/** Starts an enforcer at the adapter of a stack, until its log has a line with this text. */
export const startTlsEnforcer = async (stack: Stack, tls: OwnTls, line: string): Promise<TlsEnforcer> => {
  const port = await freePort()
  const enforcer = {
    address: `127.0.0.1:${port}`,
    adminAddress: '127.0.0.1:0',
    adapters: [`127.0.0.1:${stack.ports.adapter}`],
    discovery: { tls },
    drainDelay: '0s',
  }
  const config = { log: { format: 'json' }, issuers: stack.config.issuers, enforcer }
  const process = await startRescind(['enforcer'], { config, ready: ({ msg }) => msg === line })
  const client = createEnforcerClient(port)
  const stop = async () => {
    client.close()
    await process.stop()
  }
  return { process, client, stop }
}

/** Fails unless an enforcer comes to reject a token that is revoked now, and lets another one pass. */
export const assertEnforces = async (stack: Stack, client: EnforcerClient): Promise<void> => {
  const [revoked, control] = [await stack.issuer.sign(), await stack.issuer.sign()]
  await revokeAsAdmin(stack.ports.revoker, { token: revoked })
  await until('the token is rejected', async () => (await client.checkToken(revoked)).reason === 'revoked')
  assert.equal((await client.checkToken(control)).code, status.OK)
}
