/** Who may use the admin API by a client certificate, where the server asks for one (mTLS). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { hashSecret } from '../../token/secret.ts'
import { type AdminServer, startAdminServer } from '../support/admin-server.ts'
import { type CertificateFiles, createAuthority, createTestFolder } from '../support/certificates.ts'
import { freePort } from '../support/ports.ts'
import { startStack } from '../support/stack.ts'

describe('a client certificate', () => {
  const folder = createTestFolder()
  let server: AdminServer
  let client: Record<
    'listed' | 'unlisted' | 'foreign' | 'listedCommon' | 'looksListed' | 'sameButDns',
    CertificateFiles
  >
  let laterSeconds = 0
  let caFile: string
  before(async () => {
    const authority = await createAuthority(folder.path, 'ours')
    const foreign = await createAuthority(folder.path, 'foreign')
    const own = await authority.issue('revoker', { names: 'DNS:localhost,IP:127.0.0.1' })
    caFile = authority.caFile
    const names = 'URI:spiffe://corp/ops'
    client = {
      listed: await authority.issue('ops', { names }),
      unlisted: await authority.issue('dev', { names: 'URI:spiffe://corp/dev' }),
      foreign: await foreign.issue('ops', { names }),
      listedCommon: await authority.issue('common'),
      looksListed: await authority.issue('op\u00fcs'),
      sameButDns: await authority.issue('other', { names: 'DNS:common' }),
    }
    server = await startAdminServer({
      nowSeconds: () => Date.now() / 1000 + laterSeconds,
      credentials: {
        certificates: ['uri:spiffe://corp/ops', 'cn:common', 'cn:op?s'],
        tokens: [{ name: 'alice', hash: await hashSecret('token-of-alice') }],
      },
      createServer: () =>
        fastify({
          https: {
            cert: readFileSync(own.certFile),
            key: readFileSync(own.keyFile),
            ca: readFileSync(caFile),
            requestCert: true,
            rejectUnauthorized: false,
          },
        }) as unknown as FastifyInstance,
    })
  })
  after(async () => {
    await server.close()
    folder.remove()
  })

  const ask = (
    files: CertificateFiles | undefined,
    path: string,
    options: Pick<RequestOptions, 'headers' | 'agent'> = {},
  ) =>
    new Promise<{ status: number | undefined; body: string }>((done, fail) => {
      request(
        new URL(path, server.url),
        {
          ca: readFileSync(caFile),
          agent: false,
          ...options,
          ...(files && { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) }),
        },
        async response => done({ status: response.statusCode, body: await text(response) }),
      )
        .on('error', fail)
        .end()
    })

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  test('of a listed name is that of an administrator', async () => {
    assert.equal((await ask(client.listed, '/claim-sets')).status, 200)
  })

  test('of another name, of an authority that is not ours, or none at all is refused', async () => {
    for (const files of [client.unlisted, client.foreign, undefined]) {
      const { status, body } = await ask(files, '/claim-sets')
      assert.deepEqual([status, JSON.parse(body).code], [401, 'ERR_ADMIN_UNAUTHENTICATED'])
    }
  })

  test('has the kind of name that is listed', async () => {
    assert.equal((await ask(client.listedCommon, '/claim-sets')).status, 200)
    assert.equal((await ask(client.sameButDns, '/claim-sets')).status, 401)
    assert.equal((await ask(client.looksListed, '/claim-sets')).status, 401)
  })

  test('does not count when a page of another site asks', async () => {
    const fromPage = (site: string) =>
      ask(client.listed, '/claim-sets', { headers: { 'sec-fetch-site': site } })
    assert.equal((await fromPage('cross-site')).status, 401)
    assert.equal((await fromPage('same-site')).status, 401)
    assert.equal((await fromPage('same-origin')).status, 200)
  })

  test('that has expired is refused, also on a connection that was opened before', async t => {
    t.after(() => {
      laterSeconds = 0
      agent.destroy()
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    assert.equal((await ask(client.listed, '/claim-sets', { agent })).status, 200)
    laterSeconds = 3 * 24 * 3600
    assert.equal((await ask(client.listed, '/claim-sets', { agent })).status, 401)
  })

  test('does not make up for a token that is wrong; a token makes up for no certificate', async () => {
    assert.equal((await ask(client.listed, '/claim-sets', bearer('wrong'))).status, 401)
    assert.equal((await ask(undefined, '/claim-sets', bearer('token-of-alice'))).status, 200)
  })
})

test('a revoker that is configured for it lets them in over HTTPS, and stops although they follow events', async t => {
  const folder = createTestFolder()
  t.after(folder.remove)
  const authority = await createAuthority(folder.path, 'ours')
  const own = await authority.issue('revoker', { names: 'DNS:localhost,IP:127.0.0.1' })
  const ops = await authority.issue('ops', { names: 'URI:spiffe://corp/ops' })
  const port = await freePort()
  const stack = await startStack({
    edit: config => {
      config.revoker.tls = { address: `127.0.0.1:${port}`, ...own, clientCaFile: authority.caFile }
      config.revoker.admin = { certificates: ['uri:spiffe://corp/ops'] }
    },
  })
  t.after(() => stack.stop())
  const credentials = { cert: readFileSync(ops.certFile), key: readFileSync(ops.keyFile) }
  const get = (path: string, options: object) =>
    new Promise<IncomingMessage>((done, fail) => {
      const ca = readFileSync(authority.caFile)
      request(`https://127.0.0.1:${port}${path}`, { ca, agent: false, ...options }, done)
        .on('error', fail)
        .end()
    })
  assert.equal((await get('/claim-sets', credentials)).statusCode, 200)
  assert.equal((await get('/claim-sets', {})).statusCode, 401)
  const events = await get('/events', credentials)
  assert.equal(events.statusCode, 200)
  const cutOff = assert.rejects(text(events))
  await stack.rescind.kill('SIGTERM')
  assert.equal(stack.rescind.exitCode, 0)
  await cutOff
})
