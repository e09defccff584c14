/**
 * A relay in front of a real Keycloak: what clients revoke there is rejected at the real Envoy, and nothing else is.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/condition.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import { type Keycloak, keycloakClients, startKeycloak } from '../support/keycloak.ts'
import { requireService } from '../support/requires.ts'
import { assertNothingAppended, basic, post, type RevokerAnswer } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { withPayload } from '../support/token-forgery.ts'

const { app, spa } = keycloakClients

describe('a relay in front of Keycloak', requireService('keycloak', 'envoy'), () => {
  let keycloak: Keycloak
  let stack: Stack
  let gateway: Gateway
  before(async () => {
    keycloak = await startKeycloak()
    stack = await startStack({
      envoy: true,
      edit: config => {
        config.issuers.push({ issuer: keycloak.issuer })
        config.revoker.relay = {
          endpoint: keycloak.revocationEndpoint,
          issuer: keycloak.issuer,
          preset: 'keycloak',
          folder: config.eventLog.folder.replace(/log$/, 'relay'),
        }
        config.revoker.corsOrigins = ['https://app.example']
      },
    })
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: async () => (await keycloak.signIn('app', 'bob')).accessToken,
    })
  })
  after(async () => {
    await stack?.stop()
    await keycloak?.stop()
  })

  const revoke = (token: string, client: { id: string; secret: string }, fields: object = {}) =>
    post(
      stack.ports.revoker,
      '/oauth2/revoke',
      new URLSearchParams({ token, ...fields, ...(client.secret === '' ? { client_id: client.id } : {}) }),
      client.secret === '' ? {} : basic(client),
    )
  const errorOf = ({ body }: RevokerAnswer) => (JSON.parse(body) as { error: string }).error
  const isDenied = async (token: string) => (await gateway.callWith(token)).status === 401

  test('an access token is rejected at Envoy after Keycloak has revoked it; its user and client go on', async () => {
    const { accessToken } = await keycloak.signIn('app')
    const second = await keycloak.signIn('app')
    assertAllowed(await gateway.round(accessToken))
    const answer = await revoke(accessToken, app)
    assert.deepEqual([answer.status, answer.body], [200, ''])
    await until('it is rejected', () => isDenied(accessToken))
    assertDenied(await gateway.round(accessToken), 'revoked')
    assertAllowed(await gateway.round(second.accessToken))
  })

  test('an access token is revoked also by the answers that come for a repeat', async () => {
    const { accessToken } = await keycloak.signIn('app')
    const answers = await Promise.all([revoke(accessToken, app), revoke(accessToken, app)])
    const statuses = answers.map(({ status }) => status)
    assert.ok(statuses.includes(200), `${statuses}`)
    await until('it is rejected', () => isDenied(accessToken))
    await assertNothingAppended(stack.ports.revoker, () => revoke(accessToken, app))
  })

  test('a refresh token takes all access tokens of its user for its client with it, and no others', async () => {
    const session = await keycloak.signIn('app')
    const sameUser = await keycloak.signIn('app')
    const otherClient = await keycloak.signIn('other')
    const answer = await revoke(session.refreshToken, app, { token_type_hint: 'refresh_token' })
    assert.deepEqual([answer.status, answer.body], [200, ''])
    await until(
      'both are rejected',
      async () => (await isDenied(session.accessToken)) && (await isDenied(sameUser.accessToken)),
    )
    assertDenied(await gateway.round(sameUser.accessToken), 'revoked')
    assertAllowed(await gateway.round(otherClient.accessToken))
    assert.equal(await keycloak.refresh('app', session.refreshToken), 400)
  })

  test('a public client revokes with its client_id alone', async () => {
    const { accessToken } = await keycloak.signIn('spa')
    assert.equal((await revoke(accessToken, spa)).status, 200)
    await until('it is rejected', () => isDenied(accessToken))
  })

  test('a forged refresh token that names a victim publishes nothing, twice and in parallel', async () => {
    const victim = await keycloak.signIn('app', 'bob')
    const mine = await keycloak.signIn('app')
    const victimSubject = (
      JSON.parse(Buffer.from(victim.accessToken.split('.')[1] as string, 'base64url').toString()) as {
        sub: string
      }
    ).sub
    const forged = withPayload(mine.refreshToken, { sub: victimSubject })
    await assertNothingAppended(stack.ports.revoker, async () => {
      const answers = await Promise.all([revoke(forged, app), revoke(forged, app)])
      answers.push(await revoke(forged, app, { token_type_hint: 'refresh_token' }))
      for (const answer of answers) assert.deepEqual([answer.status, errorOf(answer)], [200, 'invalid_token'])
    })
    assertAllowed(await gateway.round(victim.accessToken))
  })

  test('a form that Keycloak would read by another charset is refused: each would see another token', async () => {
    const victim = await keycloak.signIn('app', 'bob')
    const mine = await keycloak.signIn('spa')
    const utf16 = (text: string) =>
      [...Buffer.from(text, 'utf16le').swap16()]
        .map(byte => `%${byte.toString(16).padStart(2, '0')}`)
        .join('')
    const forged = withPayload(mine.refreshToken, { sub: 'victim', azp: app.id })
    const body = [
      `to%6ben=${forged}&client%5fid=${app.id}`,
      `${utf16('token')}=${utf16(mine.refreshToken)}&${utf16('client_id')}=${utf16(spa.id)}`,
    ].join('&')
    for (const type of [
      'application/x-www-form-urlencoded; charset=UTF-16BE',
      'application/x-www-form-urlencoded',
    ]) {
      const answer = await assertNothingAppended(stack.ports.revoker, () =>
        post(stack.ports.revoker, '/oauth2/revoke', body, { 'content-type': type }),
      )
      assert.ok(answer.status === 415 || answer.status === 400, `${answer.status}`)
    }
    assertAllowed(await gateway.round(victim.accessToken))
  })

  test('a forged access token publishes nothing', async () => {
    const { accessToken } = await keycloak.signIn('app')
    const forged = withPayload(accessToken, { jti: 'of-somebody-else' })
    const answer = await assertNothingAppended(stack.ports.revoker, () => revoke(forged, app))
    assert.deepEqual([answer.status, errorOf(answer)], [200, 'invalid_token'])
  })

  const refusals: readonly {
    what: string
    send: () => Promise<RevokerAnswer>
    expected: [number, string]
  }[] = [
    {
      what: "another client's access token",
      send: async () => revoke((await keycloak.signIn('other')).accessToken, app),
      expected: [400, 'invalid_request'],
    },
    {
      what: "another client's refresh token",
      send: async () => revoke((await keycloak.signIn('other')).refreshToken, app),
      expected: [400, 'invalid_request'],
    },
    {
      what: 'a wrong secret',
      send: async () => revoke((await keycloak.signIn('app')).accessToken, { id: app.id, secret: 'wrong' }),
      expected: [401, 'unauthorized_client'],
    },
    {
      what: 'an ID token',
      send: async () => revoke((await keycloak.signIn('app')).idToken, app),
      expected: [400, 'unsupported_token_type'],
    },
  ]
  for (const { what, send, expected } of refusals) {
    test(`Keycloak's answer to ${what} is passed on, and nothing is appended`, async () => {
      const answer = await assertNothingAppended(stack.ports.revoker, send)
      assert.deepEqual([answer.status, errorOf(answer)], expected)
    })
  }

  test('a page of a configured origin gets the headers for that, and of another origin none', async () => {
    const { accessToken } = await keycloak.signIn('app')
    const ask = (origin: string) =>
      post(stack.ports.revoker, '/revoke', new URLSearchParams({ token: accessToken }), {
        ...basic(app),
        origin,
      })
    const allowed = await ask('https://app.example')
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.equal((await ask('https://evil.example')).headers.get('access-control-allow-origin'), null)
  })
})
