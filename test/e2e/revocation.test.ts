/**
 * The main job through the real Envoy, with tokens of a certified OpenID Provider: a revoked token is rejected.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { until } from '../support/condition.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import { requireService } from '../support/requires.ts'
import { post, revokeAs } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'

const demoClient = { id: 'demo-client', secret: 'demo-secret' } as const
const otherClient = { id: 'other-client', secret: 'other-secret' } as const

describe('a token of an OpenID Provider', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway
  const token = () => stack.provider.token()
  const isRejected = (revoked: string) =>
    until('it is rejected', async () => (await gateway.callWith(revoked)).status === 401)

  before(async () => {
    stack = await startStack({ envoy: true, provider: true })
    const control = await token()
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: async () => control,
    })
  })
  after(() => stack.stop())

  test('passes until it is revoked, and is then rejected with the body and header of WSO2', async () => {
    const mine = await token()
    assertAllowed(await gateway.round(mine))
    assert.equal((await revokeAs(stack.ports.revoker, demoClient, mine)).status, 200)
    await isRejected(mine)

    const round = await gateway.round(mine)
    assertDenied(round, 'revoked')
    assert.equal(
      round.answer.body,
      '{"error_message":"Invalid Credentials","code":"900901","error_description":"Invalid JWT token. Make sure you have provided the correct security credentials"}',
    )
    assert.equal(round.answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
    assert.equal(round.answer.headers['content-type'], 'application/json')
  })

  test('is answered with the headers of the revocation endpoint of WSO2', async () => {
    const mine = await token()
    const answer = await revokeAs(stack.ports.revoker, demoClient, mine)
    assert.equal(answer.status, 200)
    assert.equal(answer.body, '')
    const expected = {
      revokedaccesstoken: mine,
      authorizeduser: 'demo-client@carbon.super',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'x-xss-protection': '1; mode=block',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(answer.headers.get(name), value, name)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html\b/)
  })

  test('may be revoked at /revoke with the credentials in the body, and again', async () => {
    const mine = await token()
    const body = new URLSearchParams({
      token: mine,
      token_type_hint: 'refresh_token',
      client_id: demoClient.id,
      client_secret: demoClient.secret,
    })
    const first = await post(stack.ports.revoker, '/revoke', body)
    await isRejected(mine)
    const second = await post(stack.ports.revoker, '/revoke', body)
    assert.deepEqual([first.status, second.status], [200, 200])
    assert.equal(second.headers.get('revokedaccesstoken'), mine)
    assertDenied(await gateway.round(mine), 'revoked')
  })

  test('cannot be revoked by another client, which is not told that it exists', async () => {
    const [mine, theirs] = [await token(), await stack.provider.token({ client: 'other-client' })]
    const answer = await revokeAs(stack.ports.revoker, otherClient, mine)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('revokedaccesstoken'), null)
    assert.equal(answer.headers.get('authorizeduser'), null)

    // What the other client revokes of its own comes later in the same log, so by then this one would be rejected too.
    await revokeAs(stack.ports.revoker, otherClient, theirs)
    await isRejected(theirs)
    assertAllowed(await gateway.round(mine))
    assertDenied(await gateway.round(theirs), 'revoked')
  })

  test('leaves the two lines in the log of the adapter that people search for', async () => {
    const mine = await token()
    await revokeAs(stack.ports.revoker, demoClient, mine)
    const messages = () => stack.rescind.logs().filter(line => line.component === 'adapter')
    const line = await until('the adapter has logged it', () =>
      messages().find(({ msg }) => msg === `RevokedToken: ${decodeJwt(mine).jti}, Token Type: JWT`),
    )
    const version = line.position
    const update = `New Revoked token cache update for the label: commonEnforcerLabel version: ${version}`
    await until('and the update', () => messages().some(({ msg }) => msg === update))
    const received = `Revoked token event received with version : ${version}`
    await until('the enforcer has logged that it has it', () =>
      stack.rescind.logs().some(({ component, msg }) => component === 'enforcer' && msg === received),
    )
  })
})
