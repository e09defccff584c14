/**
 * An issuer whose keys cannot be fetched, behind the real Envoy: no decision is not a rejection.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import { assertAllowed, assertDenied, createGateway } from '../support/gateway.ts'
import { createTestIssuer } from '../support/issuer.ts'
import { requireService } from '../support/requires.ts'
import { revokeAsAdmin } from '../support/revoking.ts'
import { startStack } from '../support/stack.ts'

describe('keys of the issuer that cannot be fetched', requireService('envoy'), () => {
  const failure = 'keys of the issuer could not be loaded'

  const setUp = async (t: TestContext) => {
    const issuer = await createTestIssuer()
    issuer.broken = true
    const stack = await startStack({
      envoy: true,
      issuer,
      ready: line => line.msg === failure,
      edit: config => {
        config.issuers[0].jwksRefresh = '1s'
      },
    })
    t.after(() => stack.stop())
    const gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: () => issuer.sign(),
    })
    const client = createEnforcerClient(stack.ports.enforcer)
    t.after(() => client.close())
    return { issuer, stack, gateway, client }
  }

  test('are a 503 until they were loaded once, and no hindrance in an outage after that', async t => {
    const { issuer, stack, gateway, client } = await setUp(t)
    const [good, revoked] = [await issuer.sign(), await issuer.sign()]
    await until('it listens', () => client.health())
    for (const token of [good, revoked, 'malformed']) {
      assert.equal((await gateway.callWith(token)).status, 503)
      await assert.rejects(client.checkToken(token), { code: status.UNAVAILABLE })
    }

    issuer.broken = false
    await until('Envoy lets it decide', async () => (await gateway.callWith(good)).status === 200)
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await until('it is rejected', async () => (await gateway.callWith(revoked)).status === 401)

    issuer.broken = true
    const failures = () => stack.rescind.logs().filter(line => line.msg === failure && line.level === 'warn')
    await until('a refresh of the keys has failed', () =>
      failures().some(({ component }) => component === 'enforcer'),
    )
    assertDenied(await gateway.round(revoked), 'revoked')
    assertAllowed(await gateway.round(await issuer.sign({}, { alg: 'ES256' })))
  })
})
