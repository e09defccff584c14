/**
 * Discovery over TLS, with `rescind all` as the adapter: who gets revocations, and what is said to those who do not.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { FleetNode } from '../../adapter/fleet-node.ts'
import { type AdapterClientOptions, firstAnswer, firstBytes } from '../support/adapter-client.ts'
import {
  type CertificateFiles,
  createAuthority,
  type TestAuthority,
  type TestFolder,
} from '../support/certificates.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import type { RescindProcess } from '../support/processes.ts'
import type { Stack } from '../support/stack.ts'
import {
  assertEnforces,
  type OwnTls,
  serverName,
  startTlsEnforcer,
  startTlsStack,
  type TlsStack,
} from '../support/tls-stack.ts'

const noDiscovery = 'no discovery from this adapter; trying again'

const reasonIn = (process: RescindProcess): string =>
  String(process.logs().find(({ msg }) => msg === noDiscovery)?.reason)

/** An enforcer with these settings never gets anything; resolves with the reason that it logs. */
const reasonOfNothing = async (stack: Stack, tls: OwnTls): Promise<string> => {
  const { process, client, stop } = await startTlsEnforcer(stack, tls, noDiscovery)
  try {
    assert.equal(await client.health(), 'NOT_SERVING')
    await assert.rejects(client.checkToken(await stack.issuer.sign()), { code: status.UNAVAILABLE })
    return reasonIn(process)
  } finally {
    await stop()
  }
}

describe('an adapter with TLS', () => {
  let it: TlsStack
  before(async () => {
    it = await startTlsStack({ mTLS: false })
  })
  after(() => it.stop())

  test('feeds the enforcer of its own process, and others that trust it', async t => {
    const { stack, authority } = it
    const own = createEnforcerClient(stack.ports.enforcer)
    t.after(() => own.close())
    await assertEnforces(stack, own)
    const tls = { enabled: true, caFile: authority.caFile, serverName }
    const other = await startTlsEnforcer(stack, tls, 'ready')
    t.after(() => other.stop())
    await assertEnforces(stack, other.client)
    assert.doesNotMatch(other.process.output(), /"level":"(warn|error)"/)
  })

  test('is not believed by an enforcer that trusts another authority', async () => {
    const { caFile } = await createAuthority(it.folder.path, 'unrelated')
    const reason = await reasonOfNothing(it.stack, { enabled: true, caFile, serverName })
    assert.match(reason, /unable to verify the first certificate/)
  })

  test('is not believed by an enforcer that expects another name', async () => {
    const { caFile } = it.authority
    assert.match(
      await reasonOfNothing(it.stack, { enabled: true, caFile, serverName: 'other.test' }),
      /does not match certificate's altnames: Host: other\.test\. is not in the cert's altnames/,
    )
    // The host that it connects to is not in the certificate either.
    assert.match(
      await reasonOfNothing(it.stack, { enabled: true, caFile }),
      /does not match certificate's altnames/,
    )
  })

  test('gives nothing to an enforcer that does not encrypt, which is told what to set', async () => {
    assert.match(
      await reasonOfNothing(it.stack, { enabled: false }),
      /if it speaks TLS, set enforcer\.discovery\.tls\.enabled$/,
    )
  })
})

describe('an adapter with mTLS', () => {
  let it: TlsStack
  before(async () => {
    it = await startTlsStack({ mTLS: true })
  })
  after(() => it.stop())

  const optionsOf = (own?: CertificateFiles): AdapterClientOptions => ({ caFile: it.authority.caFile, own })

  test('feeds enforcers with a certificate of its authority, and knows them by the name in it', async t => {
    const { stack, authority, ofClient } = it
    const tls = { enabled: true, caFile: authority.caFile, serverName, ...ofClient }
    const other = await startTlsEnforcer(stack, tls, 'ready')
    t.after(() => other.stop())
    await assertEnforces(stack, other.client)
    const response = await fetch(`http://127.0.0.1:${stack.ports.adapterAdmin}/nodes`)
    const { nodes } = (await response.json()) as { nodes: FleetNode[] }
    assert.deepEqual(
      nodes.map(({ identity }) => identity),
      ['spiffe://shop/enforcer', 'spiffe://shop/enforcer'],
    )
    const connected = stack.rescind.logs().filter(({ msg }) => msg === 'enforcer connected')
    assert.ok(connected.every(({ identity }) => identity === 'spiffe://shop/enforcer'))
  })

  /** Why the adapter has refused clients; each with where they came from. */
  const refusals = ({ rescind }: Stack): string[] =>
    rescind
      .logs()
      .filter(
        ({ msg, peer }) => msg === 'a client was refused: TLS' && /^127\.0\.0\.1:\d+$/.test(String(peer)),
      )
      .map(({ reason }) => String(reason))

  /** Those who must get nothing, and why the adapter says that they do not. */
  const strangers: readonly {
    who: string
    own: (authority: TestAuthority, folder: TestFolder) => Promise<CertificateFiles | undefined>
    reason: RegExp
  }[] = [
    { who: 'without a certificate', own: async () => undefined, reason: /^no client certificate$/ },
    {
      who: 'whose certificate has expired',
      own: authority => authority.issue('expired', { names: 'DNS:expired.test', validDays: -1 }),
      reason: /: CERT_HAS_EXPIRED$/,
    },
    {
      who: 'whose certificate another authority of the same name has signed',
      own: async (_, folder) => {
        const foreign = await createAuthority(join(folder.path, 'elsewhere'), 'authority')
        return foreign.issue('enforcer', { names: 'DNS:enforcer.test' })
      },
      reason: /: UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)$/,
    },
    {
      who: 'whose certificate is one for servers',
      own: authority => authority.issue('server', { names: 'DNS:server.test', usage: 'serverAuth' }),
      reason: /: INVALID_PURPOSE$/,
    },
  ]
  for (const { who, own, reason } of strangers) {
    test(`gives nothing to a client ${who}, and logs why`, async () => {
      const { stack, authority, folder, ofClient } = it
      const files = await own(authority, folder)
      assert.equal((await firstBytes(stack.ports.adapter, optionsOf(files))).length, 0)
      // It logs one refusal in a second.
      await until('the adapter says why', async () => {
        const answer = await firstAnswer(stack.ports.adapter, optionsOf(files))
        assert.equal(answer.message, undefined)
        return refusals(stack).some(said => reason.test(said))
      })
      const control = await firstAnswer(stack.ports.adapter, optionsOf(ofClient))
      assert.equal(control.message?.resources.length, 1)
    })
  }

  test('gives nothing to an enforcer without a certificate, which is told what to set', async () => {
    const { caFile } = it.authority
    const reason = await reasonOfNothing(it.stack, { enabled: true, caFile, serverName })
    assert.match(reason, /client certificate, set enforcer\.discovery\.tls\.certFile and keyFile$/)
  })

  test('gives nothing to an enforcer whose certificate has expired, which says so itself', async t => {
    const { authority, stack } = it
    const expired = await authority.issue('expired-enforcer', { validDays: -1 })
    const tls = { enabled: true, caFile: authority.caFile, serverName, ...expired }
    const { process, client, stop } = await startTlsEnforcer(stack, tls, noDiscovery)
    t.after(stop)
    assert.equal(await client.health(), 'NOT_SERVING')
    assert.match(reasonIn(process), /it may not accept our certificate; its log says why$/)
    assert.match(process.output(), /discovery\.tls\.certFile: \S+ holds a certificate that expired/)
  })
})
