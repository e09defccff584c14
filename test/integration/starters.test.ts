/**
 * The starters that other tests, demo and benchmarks build on: what they promise.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  exportSPKI,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { startChild } from '../support/child.ts'
import { until } from '../support/condition.ts'
import { createTestIssuer, testAudience } from '../support/issuer.ts'
import { startOpenIdProvider } from '../support/openid-provider.ts'
import { freePort } from '../support/ports.ts'
import { projectRoot } from '../support/project.ts'

test('the OpenID Provider issues JWT access tokens that verify against its published keys', async t => {
  const provider = await startOpenIdProvider()
  t.after(() => provider.stop())
  const keys = createRemoteJWKSet(new URL(provider.jwksUri))
  const verify = (token: string) =>
    jwtVerify(token, keys, { issuer: provider.issuer, audience: testAudience, algorithms: ['RS256'] })

  const mine = (await verify(await provider.token())).payload
  assert.equal(mine.client_id, 'demo-client')
  assert.equal(typeof mine.jti, 'string')
  assert.equal(mine.exp! - mine.iat!, 600)

  const other = (await verify(await provider.token({ client: 'other-client', scope: 'read' }))).payload
  assert.equal(other.client_id, 'other-client')
  assert.equal(other.scope, 'read')
  assert.notEqual(other.jti, mine.jti)
})

test('the test issuer signs with each of its algorithms', async t => {
  const issuer = await createTestIssuer()
  t.after(() => issuer.stop())
  const keys = createRemoteJWKSet(new URL(issuer.jwksUri))
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const { payload, protectedHeader } = await jwtVerify(await issuer.sign({}, { alg }), keys)
    assert.equal(payload.iss, issuer.issuer)
    assert.deepEqual([protectedHeader.alg, protectedHeader.kid], [alg, issuer.kid(alg)])
  }
  assert.equal(issuer.requests, 1)
})

test('the test issuer signs tokens that nobody should', async t => {
  const issuer = await createTestIssuer()
  t.after(() => issuer.stop())
  const [header = '', payload = '', signature] = (
    await issuer.sign({ exp: undefined }, { alg: 'none' })
  ).split('.')
  assert.equal(signature, '')
  assert.equal(decodeProtectedHeader(`${header}.${payload}.`).alg, 'none')
  assert.equal('exp' in JSON.parse(Buffer.from(payload, 'base64url').toString()), false)
  assert.equal('kid' in decodeProtectedHeader(await issuer.sign({}, { kid: null })), false)

  const jwks = (await (await fetch(issuer.jwksUri)).json()) as { keys: [Record<string, unknown>] }
  const pem = await exportSPKI((await importJWK({ ...jwks.keys[0], ext: true }, 'RS256')) as CryptoKey)
  const confused = await issuer.sign({}, { alg: 'HS256' })
  const expected = createHmac('sha256', pem)
    .update(confused.slice(0, confused.lastIndexOf('.')))
    .digest('base64url')
  assert.equal(confused.split('.')[2], expected)
})

test('tokens of rotated keys no longer verify', async t => {
  const issuer = await createTestIssuer()
  t.after(() => issuer.stop())
  const old = await issuer.sign()
  await issuer.rotate()
  const keys = createLocalJWKSet((await (await fetch(issuer.jwksUri)).json()) as JSONWebKeySet)
  await assert.rejects(jwtVerify(old, keys), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
  await jwtVerify(await issuer.sign(), keys)
})

test('waiting names the condition that did not come, and why', async () => {
  const failing = (): boolean => {
    throw new Error('refused')
  }
  await assert.rejects(
    until('the sky falls', failing, { timeoutMs: 20 }),
    /not within 20 ms: the sky falls.*refused/,
  )
  await assert.rejects(
    until('it starts', () => false, { giveUp: () => 'it ended' }),
    /never: it starts: it ended/,
  )
})

test('children are killed when the process that started them ends, by itself or by a signal', async () => {
  const childScript =
    "require('http').createServer((_, r) => r.end('here')).listen(+process.argv[1], '127.0.0.1')"
  const starter = `
    import { startChild } from ${JSON.stringify(`${projectRoot}/dist/test/support/child.js`)}
    await startChild(process.execPath, ['-e', process.argv[1], process.argv[2]])
    process.stdin.once('data', () => process.exit(0)).resume()
  `
  const isThere = async (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    )
  for (const signal of ['SIGTERM', 'SIGINT', undefined] as const) {
    const port = await freePort()
    const parent = spawn(process.execPath, ['--input-type=module', '-e', starter, childScript, String(port)])
    await until('the child runs', () => isThere(port))
    if (signal === undefined) parent.stdin.write('end')
    else parent.kill(signal)
    await until(`the child is gone after ${signal ?? 'an exit'}`, async () => !(await isThere(port)))
  }
})

test('a program that does not exist is an error, not a hanging start', async () => {
  await assert.rejects(startChild('/no/such/program', []), { code: 'ENOENT' })
})

test('free ports are never given twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort))
  assert.equal(new Set(ports).size, ports.length)
})
