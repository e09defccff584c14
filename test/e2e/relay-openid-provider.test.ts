/**
 * A relay in front of oidc-provider, of which it knows nothing but RFC 7009 and RFC 7662.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/condition.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import { startOpenIdProvider } from '../support/openid-provider.ts'
import { requireService } from '../support/requires.ts'
import { assertNothingAppended, post, revokeAs, takeVersion } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { withPayload } from '../support/token-forgery.ts'

const demo = { id: 'demo-client', secret: 'demo-secret' }
const other = { id: 'other-client', secret: 'other-secret' }

describe('a relay in front of oidc-provider', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway
  let port: number
  before(async () => {
    const provider = await startOpenIdProvider()
    stack = await startStack({
      envoy: true,
      provider,
      edit: config => {
        config.revoker.relay = {
          endpoint: provider.revocationEndpoint,
          issuer: provider.issuer,
          introspection: {
            endpoint: provider.introspectionEndpoint,
            clientId: other.id,
            clientSecret: other.secret,
          },
          folder: config.eventLog.folder.replace(/log$/, 'relay'),
        }
      },
    })
    port = stack.ports.revoker
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: () => stack.provider.token(),
    })
  })
  after(() => stack.stop())

  test('an access token is rejected at Envoy although the provider cannot revoke JWTs, and says so', async () => {
    const token = await stack.provider.token()
    assertAllowed(await gateway.round(token))
    const answer = await revokeAs(port, demo, token)
    assert.equal(answer.status, 400)
    assert.equal((JSON.parse(answer.body) as { error: string }).error, 'unsupported_token_type')
    await until('it is rejected', async () => (await gateway.callWith(token)).status === 401)
    assertDenied(await gateway.round(token), 'revoked')
  })

  test('an opaque token is published that was active, and is dead afterwards', async () => {
    const token = await stack.provider.token({ opaque: true })
    const before = await takeVersion(port)
    assert.equal((await revokeAs(port, demo, token)).status, 200)
    assert.equal(await takeVersion(port), before + 2)
    await assertNothingAppended(port, () => revokeAs(port, demo, token))
  })

  const forgeries: readonly { what: string; status: number; make: () => Promise<string> }[] = [
    {
      what: 'a forged access token',
      status: 400,
      make: async () => withPayload(await stack.provider.token(), { jti: 'x' }),
    },
    { what: 'a token that nobody issued', status: 200, make: async () => 'invented' },
  ]
  for (const { what, status, make } of forgeries) {
    test(`${what} gets the answer of the provider, and publishes nothing`, async () => {
      const forged = await make()
      const answer = await assertNothingAppended(port, () => revokeAs(port, demo, forged))
      assert.equal(answer.status, status)
    })
  }

  test('a wrong secret gets the answer of the provider, and publishes nothing', async () => {
    const token = await stack.provider.token()
    const answer = await assertNothingAppended(port, () =>
      revokeAs(port, { id: demo.id, secret: 'wrong' }, token),
    )
    assert.equal(answer.status, 401)
    assert.equal((JSON.parse(answer.body) as { error: string }).error, 'invalid_client')
  })

  test("another client's token publishes nothing", async () => {
    for (const opaque of [false, true]) {
      const token = await stack.provider.token({ opaque })
      await assertNothingAppended(port, () => revokeAs(port, other, token))
    }
  })

  test('a request without a token is not passed on', async () => {
    const answer = await assertNothingAppended(port, () =>
      post(port, '/revoke', new URLSearchParams({ a: 'b' })),
    )
    assert.equal(answer.status, 400)
  })
})
