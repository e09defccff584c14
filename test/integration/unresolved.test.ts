/**
 * Relayed revocations of which nobody knows whether they happened, as administrators see them, through crashes of
 * `rescind all`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import { type FakeIdentityProvider, startFakeIdentityProvider } from '../support/identity-provider.ts'
import { revokeAs } from '../support/revoking.ts'
import { adminToken, type Stack, startStack, testClient } from '../support/stack.ts'
import { rawToken } from '../support/token-issuer.ts'

interface Listed {
  readonly total: number
  readonly revocations: readonly { id: string; client: string; taken: readonly { match: object }[] }[]
}

describe('a relayed revocation whose answer a crash has lost', () => {
  let provider: FakeIdentityProvider
  let stack: Stack
  before(async () => {
    provider = await startFakeIdentityProvider()
    stack = await startStack({
      edit: config => {
        config.revoker.relay = {
          endpoint: provider.revocationEndpoint,
          preset: 'keycloak',
          folder: config.eventLog.folder.replace(/log$/, 'relay'),
          timeout: '30s',
        }
      },
    })
  })
  after(async () => {
    await stack.stop()
    await provider.stop()
  })

  /** Kills the relay while the identity provider has the request and has not answered. */
  const revokeAndCrash = async (token: string) => {
    provider.answer = 'silence'
    const asked = provider.requests.length
    const lost = revokeAs(stack.ports.revoker, testClient, token).catch(() => 'lost')
    await until('the identity provider is asked', () => provider.requests.length > asked)
    await stack.kill()
    assert.equal(await lost, 'lost')
    await stack.startAgain()
  }
  const admin = async (method: string, path: string) =>
    fetch(`http://127.0.0.1:${stack.ports.revoker}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}` },
    })
  const list = async () => (await (await admin('GET', '/unresolved')).json()) as Listed

  test('is published after the restart if the token was known to be genuine', async () => {
    const token = await stack.issuer.sign({ azp: testClient.id })
    const control = await stack.issuer.sign({ azp: testClient.id })
    await revokeAndCrash(token)
    const enforcer = createEnforcerClient(stack.ports.enforcer)
    await until('it is rejected', async () => (await enforcer.checkToken(token)).reason === 'revoked')
    assert.equal((await enforcer.checkToken(control)).code, status.OK)
    enforcer.close()
    await until('nothing is open', async () => (await list()).total === 0)
  })

  test('is listed otherwise, without the token, until an administrator dismisses it', async () => {
    const claims = { iss: stack.issuer.issuer, sub: 'alice', azp: testClient.id, typ: 'Refresh' }
    const token = rawToken({ alg: 'HS512' }, claims, Buffer.alloc(64, 7))
    await revokeAndCrash(token)
    const { total, revocations } = await list()
    const [open] = revocations
    assert.equal(total, 1)
    assert.equal(open?.client, testClient.id)
    assert.deepEqual(
      open?.taken.map(({ match }) => match),
      [{ iss: stack.issuer.issuer, sub: 'alice', $client: testClient.id }],
    )
    assert.equal(JSON.stringify(revocations).includes(token.split('.')[2] as string), false)
    assert.equal((await admin('DELETE', `/unresolved/${open?.id}`)).status, 204)
    assert.equal((await admin('DELETE', `/unresolved/${open?.id}`)).status, 404)
    assert.equal((await list()).total, 0)
  })

  test('is for administrators only', async () => {
    const answer = await fetch(`http://127.0.0.1:${stack.ports.revoker}/unresolved`)
    assert.equal(answer.status, 401)
  })
})
