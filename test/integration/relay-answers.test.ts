/**
 * What answers of identity providers prove, by preset, and what a relay passes on. The identity provider here says what
 * a real one cannot be made to say.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import { accessTokenFor, matchesOf, refreshTokenFor, relaysOfTests } from '../support/relay.ts'
import { basic } from '../support/revoking.ts'
import { testClient } from '../support/stack.ts'

const start = relaysOfTests()

describe('an identity provider of which nothing more is known (generic)', () => {
  test('proves nothing by a bare 200', async () => {
    const relay = await start({ preset: 'generic' })
    for (const token of ['opaque', refreshTokenFor(relay)])
      assert.equal((await relay.revoke(token)).status, 200)
    assert.deepEqual(matchesOf(relay), [])
  })

  test('proves by a 200 that an access token is revoked which verifies and is of this client', async () => {
    const relay = await start({ preset: 'generic' })
    await relay.revoke(await accessTokenFor(relay))
    await relay.revoke(await accessTokenFor(relay, { azp: 'another', jti: 'two' }))
    assert.deepEqual(matchesOf(relay), [{ iss: relay.issuer.issuer, jti: 'one' }])
  })

  test('proves it of an opaque token that was active before, and of all that a refresh token takes with it', async () => {
    const relay = await start({ preset: 'generic', introspects: true })
    const iss = relay.issuer.issuer
    relay.provider.introspection = { active: true, client_id: testClient.id, sub: 'alice' }
    await relay.revoke('opaque')
    await relay.revoke('refresh', { token_type_hint: 'refresh_token' })
    assert.deepEqual(matchesOf(relay), [
      { iss, $token: opaqueFingerprint('opaque') },
      { iss, sub: 'alice', $client: testClient.id },
    ])
    assert.deepEqual(
      relay.published().map(({ issuedBefore }) => issuedBefore === undefined),
      [true, false],
    )
  })

  test('is not asked to revoke while it cannot say what a token is', async () => {
    const relay = await start({ preset: 'generic', introspects: true })
    relay.provider.introspection = []
    assert.equal((await relay.revoke('opaque')).status, 503)
    assert.equal(relay.provider.requests.length, 0)
  })
})

describe("WSO2's endpoint behind a relay", () => {
  test('names what it has revoked: a JWT is published by its jti, an opaque token by its fingerprint', async () => {
    const relay = await start({ preset: 'wso2' })
    const iss = relay.issuer.issuer
    const token = await accessTokenFor(relay, { padding: 'x'.repeat(7_000) })
    assert.ok(token.length > 8_192)
    for (const named of [token, 'opaque']) {
      relay.provider.answer = {
        status: 200,
        headers: { RevokedAccessToken: named, RevokedRefreshToken: 'r' },
      }
      await relay.revoke(`refresh of ${named}`)
    }
    assert.deepEqual(matchesOf(relay), [
      { iss, jti: 'one' },
      { iss, $token: opaqueFingerprint('opaque') },
    ])
  })

  test('proves nothing by a 200 without these headers', async () => {
    const relay = await start({ preset: 'wso2' })
    await relay.revoke('unknown')
    assert.deepEqual([matchesOf(relay), relay.relay.unresolved()], [[], []])
  })
})

describe('a relay', () => {
  test('passes request and answer on as they were understood, but for headers of the connection and of CORS', async () => {
    const relay = await start({ preset: 'generic' })
    relay.provider.answer = {
      status: 418,
      body: 'teapot',
      headers: {
        'content-type': 'text/x-tea',
        'x-own': 'kept',
        'keep-alive': 'timeout=5',
        'access-control-allow-origin': '*',
        'revocation-status': 'enforced',
      },
    }
    const answer = await relay.revoke('a+b c', { token_type_hint: 'x', extra: 'y' })
    const [request] = relay.provider.requests
    assert.equal(request?.body, 'token=a%2Bb+c&token_type_hint=x&extra=y')
    assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(request?.headers.authorization, basic(testClient).authorization)
    assert.deepEqual([answer.status, String(answer.body)], [418, 'teapot'])
    assert.deepEqual(answer.headers, { 'content-type': 'text/x-tea', 'x-own': 'kept' })
  })

  test('does not take the word of a request that names two clients', async () => {
    const relay = await start({ preset: 'generic' })
    const attacker = basic({ id: 'attacker', secret: 'own' }).authorization
    const answer = await relay.revoke(await accessTokenFor(relay), { client_id: testClient.id }, attacker)
    assert.equal(answer.status, 200)
    assert.deepEqual(matchesOf(relay), [])
  })

  test('does not wait for an answer in another protocol', async () => {
    const relay = await start({ preset: 'generic' })
    relay.provider.answer = { status: 101, headers: { connection: 'upgrade', upgrade: 'other' } }
    assert.equal((await relay.revoke('opaque')).status, 503)
  })

  test('does not take an empty answer that may have been cut off', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = { status: 200, headers: { connection: 'close', 'x-cut': 'off' } }
    assert.equal((await relay.revoke(refreshTokenFor(relay))).status, 503)
    assert.deepEqual(matchesOf(relay), [])
  })

  test('does not take an answer without end', async () => {
    const relay = await start({ preset: 'generic' })
    relay.provider.answer = { status: 200, body: 'x'.repeat(70_000) }
    assert.equal((await relay.revoke('opaque')).status, 503)
  })

  test('limits how often credentials are tried', async () => {
    const relay = await start({ preset: 'generic', failuresPerMinute: 3 })
    relay.provider.answer = { status: 401 }
    const statuses: number[] = []
    while (statuses.at(-1) !== 429 && statuses.length < 20)
      statuses.push((await relay.revoke('opaque')).status)
    assert.deepEqual([...new Set(statuses)], [401, 429])
    assert.equal(relay.provider.requests.length, statuses.length - 1)
  })
})
