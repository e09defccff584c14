/**
 * Certificates that change while adapter and enforcers run: new connections use the new ones, and what is broken is not
 * used.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { FleetNode } from '../../adapter/fleet-node.ts'
import { firstAnswer, shownCertificate } from '../support/adapter-client.ts'
import {
  type CertificateFiles,
  createAuthority,
  createTestFolder,
  type MountedSecret,
  mountSecret,
  type SecretFiles,
  type TestAuthority,
  type TestFolder,
} from '../support/certificates.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import { type Stack, startStack } from '../support/stack.ts'
import {
  assertEnforces,
  issueForClient,
  issueForServer,
  serverName,
  startTlsEnforcer,
} from '../support/tls-stack.ts'

/** The content of a Secret: a certificate, its key, and whom to trust. */
const secretOf = ({ certFile, keyFile }: CertificateFiles, { caFile }: TestAuthority): SecretFiles => ({
  'tls.crt': certFile,
  'tls.key': keyFile,
  'ca.crt': caFile,
})

/** Settings that name the files of a mounted Secret. */
const settingsOf = (secret: MountedSecret, authorities: 'caFile' | 'clientCaFile') => ({
  certFile: secret.file('tls.crt'),
  keyFile: secret.file('tls.key'),
  [authorities]: secret.file('ca.crt'),
})

describe('when certificates change while adapter and enforcers run', () => {
  let folder: TestFolder
  let authority: TestAuthority
  let ofServer: MountedSecret
  let ofClient: MountedSecret
  let stack: Stack

  const mount = (name: string, files: SecretFiles): MountedSecret => {
    mkdirSync(join(folder.path, name))
    return mountSecret(join(folder.path, name), files)
  }
  before(async () => {
    folder = createTestFolder()
    authority = await createAuthority(folder.path, 'authority')
    ofServer = mount('server', secretOf(await issueForServer(authority), authority))
    ofClient = mount('client', secretOf(await issueForClient(authority), authority))
    stack = await startStack({
      edit: config => {
        config.adapter.tls = settingsOf(ofServer, 'clientCaFile')
        config.enforcer.discovery = {
          tls: { enabled: true, serverName, ...settingsOf(ofClient, 'caFile') },
        }
      },
    })
  })
  after(async () => {
    await stack.stop()
    folder.remove()
  })

  const shownName = async () => (await shownCertificate(stack.ports.adapter)).subject.CN
  const nodes = async (): Promise<readonly FleetNode[]> => {
    const response = await fetch(`http://127.0.0.1:${stack.ports.adapterAdmin}/nodes`)
    return ((await response.json()) as { nodes: FleetNode[] }).nodes
  }
  const peers = async () =>
    (await nodes())
      .filter(({ connected }) => connected)
      .map(({ peer }) => peer)
      .sort()
  const metric = async (name: string): Promise<string | undefined> => {
    const text = await (await fetch(`http://127.0.0.1:${stack.ports.adapterAdmin}/metrics`)).text()
    return new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  }

  const ways: readonly { how: string; replace: (files: CertificateFiles) => void }[] = [
    {
      how: 'as Kubernetes swaps a Secret',
      replace: files => ofServer.swap(secretOf(files, authority)),
    },
    {
      how: 'in place',
      replace: ({ certFile, keyFile }) => {
        writeFileSync(ofServer.file('tls.crt'), readFileSync(certFile))
        writeFileSync(ofServer.file('tls.key'), readFileSync(keyFile))
      },
    },
    {
      how: 'by renaming',
      replace: ({ certFile, keyFile }) => {
        for (const [name, source] of [
          ['tls.crt', certFile],
          ['tls.key', keyFile],
        ] as const) {
          cpSync(source, `${ofServer.file(name)}.new`)
          renameSync(`${ofServer.file(name)}.new`, ofServer.file(name))
        }
      },
    },
  ]
  for (const { how, replace } of ways) {
    test(`an adapter shows its new certificate when it is replaced ${how}; streams live on`, async () => {
      const open = await peers()
      const name = `replaced ${how}`
      replace(await issueForServer(authority, name))
      await until('it is shown', async () => (await shownName()) === name)
      assert.deepEqual(await peers(), open)
      assert.equal(await metric('rescind_adapter_tls_files_wrong'), '0')
    })
  }

  test('an adapter goes on with the old certificate while the new one is broken, and says so', async () => {
    const good = await shownName()
    const [certificate, next] = [
      readFileSync(ofServer.file('tls.crt')),
      await issueForServer(authority, 'next'),
    ]
    const broken: readonly [what: string, content: Buffer, problem: RegExp][] = [
      ['half written', certificate.subarray(0, 200), /certFile: \S+ is cut off within a certificate/],
      ['of another key', readFileSync(next.certFile), /keyFile: \S+ is not the key of the first certificate/],
    ]
    for (const [what, content, problem] of broken) {
      writeFileSync(ofServer.file('tls.crt'), content)
      await until(`${what} is told`, () =>
        stack.rescind
          .logs()
          .some(
            ({ level, err }) =>
              level === 'error' && problem.test((err as { message?: string })?.message ?? ''),
          ),
      )
      assert.equal(await metric('rescind_adapter_tls_files_wrong'), '1')
      assert.equal(await shownName(), good)
      const own = { certFile: ofClient.file('tls.crt'), keyFile: ofClient.file('tls.key') }
      const answer = await firstAnswer(stack.ports.adapter, { caFile: authority.caFile, own })
      assert.ok(answer.message !== undefined)
    }
    rmSync(ofServer.file('tls.crt'))
    await until('that it is gone is told', () =>
      stack.rescind.output().includes('tls.crt cannot be read (ENOENT)'),
    )
    assert.equal(await shownName(), good)

    writeFileSync(ofServer.file('tls.crt'), readFileSync(next.certFile))
    writeFileSync(ofServer.file('tls.key'), readFileSync(next.keyFile))
    await until('the new one is shown', async () => (await shownName()) === 'next')
    await until('all is well', async () => (await metric('rescind_adapter_tls_files_wrong')) === '0')
  })

  test('everything moves to another authority without a restart, at the next connection', async t => {
    const tls = { enabled: true, serverName, ...settingsOf(ofClient, 'caFile') }
    const enforcer = await startTlsEnforcer(stack, tls, 'ready')
    t.after(() => enforcer.stop())
    const other = await createAuthority(folder.path, 'other')
    const open = await peers()
    const [server, client] = [
      await issueForServer(other, 'moved'),
      await issueForClient(other, 'spiffe://moved'),
    ]
    const old = { caFile: authority.caFile, own: await issueForClient(authority) }
    assert.ok((await firstAnswer(stack.ports.adapter, old)).message !== undefined)

    for (const [file, source] of Object.entries(secretOf(server, other))) {
      writeFileSync(ofServer.file(file), readFileSync(source))
    }
    ofClient.swap(secretOf(client, other))
    await until('the adapter has moved', async () => (await shownName()) === 'moved')
    await until('the enforcer has moved', () =>
      enforcer.process.output().includes('the TLS files have changed'),
    )
    const trusting = (own: CertificateFiles) =>
      firstAnswer(stack.ports.adapter, { caFile: other.caFile, own })
    assert.equal((await trusting(old.own)).message, undefined)
    assert.ok((await trusting(client)).message !== undefined)
    await until('the streams of before are those that are open', async () =>
      isDeepStrictEqual(await peers(), open),
    )
    await assertEnforces(stack, enforcer.client)

    await stack.kill()
    await stack.startAgain()
    await until('both have come back', async () => (await nodes()).length === 2)
    assert.ok((await nodes()).every(({ identity }) => identity === 'spiffe://moved'))
    await assertEnforces(stack, enforcer.client)
    const own = createEnforcerClient(stack.ports.enforcer)
    t.after(() => own.close())
    await assertEnforces(stack, own)
  })
})
