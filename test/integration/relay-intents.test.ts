/**
 * What a relay publishes when the identity provider, the log or the relay itself fails in between: what is proven, and
 * never more. The identity provider here shows faults that a real one cannot be made to show.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { until } from '../support/condition.ts'
import {
  accessTokenFor,
  matchesOf,
  type RelayUnderTest,
  refreshTokenFor,
  relaysOfTests,
} from '../support/relay.ts'
import { basic } from '../support/revoking.ts'
import { testClient } from '../support/stack.ts'

const start = relaysOfTests()

const invalidToken = { status: 200, body: '{"error":"invalid_token"}' }
const away = new RescindError('ERR_LOG_UNREACHABLE', 'the log is away')
const userAtClient = ({ issuer }: RelayUnderTest) => [
  { iss: issuer.issuer, sub: 'alice', $client: testClient.id },
  { iss: issuer.issuer, sid: 'session', $client: testClient.id },
]
const isPublished = (relay: RelayUnderTest) =>
  until('it is published', () => relay.published().length > 0 && relay.relay.unresolved().length === 0)

describe('when the answer of the identity provider is lost', () => {
  test('an access token that verifies is published after a restart', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = 'silence'
    const answer = await relay.revoke(await accessTokenFor(relay))
    assert.equal(answer.status, 503)
    assert.deepEqual(matchesOf(relay), [])
    assert.equal(relay.relay.unresolved().length, 1)
    await relay.restart()
    await isPublished(relay)
    assert.deepEqual(matchesOf(relay), [{ iss: relay.issuer.issuer, jti: 'one' }])
  })

  test('a refresh token that nobody has vouched for stays open, also after restarts, and can be dismissed', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = 'silence'
    await relay.revoke(refreshTokenFor(relay))
    await relay.restart()
    await relay.restart()
    const [open] = relay.relay.unresolved()
    assert.deepEqual(
      open?.taken.map(({ match }) => match),
      userAtClient(relay),
    )
    assert.equal(open?.client, testClient.id)
    assert.deepEqual(matchesOf(relay), [])
    assert.equal(await relay.relay.dismiss(open?.id ?? ''), true)
    assert.deepEqual(relay.relay.unresolved(), [])
    assert.equal(await relay.relay.dismiss(open?.id ?? ''), false)
  })

  test('and the token is called invalid when the client tries again, a forged refresh token is not published', async () => {
    const relay = await start({ preset: 'keycloak' })
    const forged = refreshTokenFor(relay)
    relay.provider.answer = 'silence'
    await relay.revoke(forged)
    await relay.restart()
    relay.provider.answer = invalidToken
    const answers = await Promise.all([relay.revoke(forged), relay.revoke(forged)])
    assert.deepEqual(
      answers.map(({ status, body }) => [status, String(body)]),
      [invalidToken, invalidToken].map(({ status, body }) => [status, body]),
    )
    assert.deepEqual(matchesOf(relay), [])
  })

  test('and the token is called invalid when the client tries again, one that was active before is published', async () => {
    const relay = await start({ preset: 'keycloak', introspects: true })
    relay.provider.introspection = { active: true, client_id: testClient.id, sub: 'alice', sid: 'session' }
    relay.provider.answer = 'silence'
    await relay.revoke(refreshTokenFor(relay))
    relay.provider.introspection = { active: false }
    relay.provider.answer = invalidToken
    const answer = await relay.revoke(refreshTokenFor(relay))
    assert.deepEqual([answer.status, String(answer.body)], [200, invalidToken.body])
    assert.deepEqual(matchesOf(relay), userAtClient(relay))
  })

  test('a token that was active for another client is not genuine for this one', async () => {
    const relay = await start({ preset: 'keycloak', introspects: true })
    relay.provider.introspection = { active: true, client_id: 'another', sub: 'alice', sid: 'session' }
    relay.provider.answer = 'silence'
    await relay.revoke(refreshTokenFor(relay, { azp: 'another' }))
    relay.provider.answer = invalidToken
    await relay.revoke(refreshTokenFor(relay, { azp: 'another' }))
    await relay.restart()
    assert.deepEqual(matchesOf(relay), [])
  })

  test('what somebody else asks for the same token settles nothing', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = 'silence'
    const token = await accessTokenFor(relay)
    await relay.revoke(token)
    relay.provider.answer = { status: 401, body: '{"error":"unauthorized_client"}' }
    await relay.revoke(token, {}, basic({ id: testClient.id, secret: 'guess' }).authorization)
    await relay.revoke(token, {}, basic({ id: 'another', secret: 'guess' }).authorization)
    assert.equal(relay.relay.unresolved().length, 1)
    await relay.restart()
    await isPublished(relay)
    assert.deepEqual(matchesOf(relay), [{ iss: relay.issuer.issuer, jti: 'one' }])
  })

  test('what the identity provider has answered with a failure is not taken for revoked after a restart', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = { status: 500 }
    await relay.revoke(await accessTokenFor(relay))
    await relay.restart()
    assert.equal(relay.relay.unresolved().length, 1)
    assert.equal(relay.relay.unresolved()[0]?.proven, false)
    assert.deepEqual(matchesOf(relay), [])
  })

  test('what anybody could have invented is kept for a while only, and is limited', async () => {
    const relay = await start({ preset: 'keycloak', failuresPerMinute: 10_000 })
    relay.provider.answer = { status: 500 }
    await relay.revoke(await accessTokenFor(relay))
    for (let index = 0; index < 1_005; index++) await relay.revoke(refreshTokenFor(relay, { index }))
    assert.equal(relay.relay.unresolved().length, 1_001)
  })

  test('failures that somebody without credentials provokes are counted', async () => {
    const relay = await start({ preset: 'keycloak', failuresPerMinute: 3 })
    relay.provider.answer = { status: 500 }
    const statuses: number[] = []
    while (statuses.at(-1) !== 429 && statuses.length < 20)
      statuses.push((await relay.revoke(refreshTokenFor(relay, { index: statuses.length }))).status)
    assert.deepEqual([...new Set(statuses)], [500, 429])
  })

  test('a failure of the identity provider is passed on and stays open', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.provider.answer = { status: 502, body: 'bad gateway' }
    const answer = await relay.revoke(await accessTokenFor(relay))
    assert.deepEqual([answer.status, String(answer.body)], [502, 'bad gateway'])
    assert.equal(relay.relay.unresolved().length, 1)
    assert.deepEqual(matchesOf(relay), [])
  })
})

describe('when the log cannot be written after the identity provider has revoked', () => {
  test('the answer is 503 with Retry-After, and it is published as soon as the log can be written', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.log.store.failAppends(away)
    const answer = await relay.revoke(refreshTokenFor(relay))
    assert.deepEqual([answer.status, answer.headers['Retry-After']], [503, '1'])
    assert.equal(relay.relay.unresolved()[0]?.proven, true)
    relay.log.store.failAppends(undefined)
    await isPublished(relay)
    assert.deepEqual(matchesOf(relay), userAtClient(relay))
  })

  test("the client's retry publishes it, though the token is invalid by now", async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.log.store.failAppends(away)
    await relay.revoke(refreshTokenFor(relay))
    await relay.restart()
    relay.provider.answer = invalidToken
    relay.log.store.failAppends(undefined)
    await relay.revoke(refreshTokenFor(relay))
    await isPublished(relay)
    assert.deepEqual(matchesOf(relay), userAtClient(relay))
  })

  test('a repeat has the same ids: it cannot revive what was restored meanwhile', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.log.store.failAppends(away)
    const token = await accessTokenFor(relay)
    await relay.revoke(token)
    await relay.restart()
    relay.log.store.failAppends(undefined)
    await isPublished(relay)
    relay.provider.answer = { status: 409, body: '{"error":"unknown_error"}' }
    const { publication } = await relay.revoke(token)
    assert.equal(publication?.each[0]?.id, undefined)
  })
})

describe('when the identity provider cannot be reached', () => {
  test('the answer is 503, nothing is appended, and nothing stays open', async () => {
    const relay = await start({ preset: 'keycloak' })
    await relay.provider.stop()
    const answer = await relay.revoke(await accessTokenFor(relay))
    assert.deepEqual([answer.status, answer.headers['Retry-After']], [503, '1'])
    assert.deepEqual([matchesOf(relay), relay.relay.unresolved()], [[], []])
  })

  test('with revokeAnyway an access token that verifies is published for a client that proves itself here', async () => {
    const relay = await start({ preset: 'keycloak', revokeAnyway: true })
    await relay.provider.stop()
    const token = await accessTokenFor(relay)
    const guess = basic({ id: testClient.id, secret: 'guess' }).authorization
    assert.equal((await relay.revoke(token, {}, guess)).status, 401)
    assert.deepEqual(matchesOf(relay), [])
    const answer = await relay.revoke(token)
    assert.deepEqual([answer.status, answer.headers.RevokedAccessToken], [200, token])
    assert.deepEqual(matchesOf(relay), [{ iss: relay.issuer.issuer, jti: 'one' }])
  })

  test('with revokeAnyway whatever does not verify is answered with 503 all the same', async () => {
    const relay = await start({ preset: 'keycloak', revokeAnyway: true })
    await relay.provider.stop()
    for (const token of [refreshTokenFor(relay), 'opaque'])
      assert.equal((await relay.revoke(token)).status, 503)
    assert.deepEqual(matchesOf(relay), [])
  })

  test('nor the keys of the issuer, it is not asked: nobody here would be told', async () => {
    const relay = await start({ preset: 'keycloak' })
    relay.issuer.broken = true
    const unknown = await relay.issuer.sign({ azp: testClient.id }, { kid: 'new' })
    assert.equal((await relay.revoke(unknown)).status, 503)
    assert.equal(relay.provider.requests.length, 0)
  })
})
