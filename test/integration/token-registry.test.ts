/**
 * Tokens of the registry at the revocation endpoint of a running `rescind all`: what goes with what, and who is told.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { hashSecret } from '../../token/secret.ts'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { assertNothingAppended, basic, post, type RevokerAnswer } from '../support/revoking.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'

const feederToken = 'token-of-a-feeder'
const told = ({ headers }: RevokerAnswer) => [
  headers.get('revokedaccesstoken'),
  headers.get('revokedrefreshtoken'),
  headers.get('authorizeduser'),
]

describe('a token of the registry', () => {
  let stack: Stack
  let enforcer: EnforcerClient
  before(async () => {
    const hash = await hashSecret(feederToken)
    stack = await startStack({
      edit: config => {
        const { issuer } = config.issuers[0]
        config.revoker.clients.push({ id: 'spa', public: true, issuer })
        config.revoker.grants = {
          store: 'lmdb',
          folder: join(config.eventLog.folder, '..', 'grants'),
          feeders: [{ name: 'idp', hash, issuers: [issuer] }],
        }
      },
    })
    enforcer = createEnforcerClient(stack.ports.enforcer)
  })
  after(async () => {
    enforcer.close()
    await stack.stop()
  })

  /** Reports tokens of a grant; gives back the texts. */
  const report = async (access: string, refresh?: string, change: object = {}) => {
    const answer = await post(
      stack.ports.revoker,
      '/grants',
      JSON.stringify({
        issuer: stack.issuer.issuer,
        clientId: testClient.id,
        subject: 'alice',
        accessToken: { token: access },
        ...(refresh === undefined ? {} : { refreshToken: { token: refresh } }),
        ...change,
      }),
      { authorization: `Bearer ${feederToken}`, 'content-type': 'application/json' },
    )
    assert.equal(answer.status, 204, answer.body)
  }
  const revoke = (token: string, fields: object = {}, headers: Record<string, string> = basic(testClient)) =>
    post(stack.ports.revoker, '/oauth2/revoke', new URLSearchParams({ token, ...fields }), headers)
  const sign = (client: string = testClient.id) => stack.issuer.sign({ client_id: client, sub: 'alice' })
  const isRejected = async (token: string) => (await enforcer.checkToken(token)).reason === 'revoked'

  test('that is a refresh token takes every access token of its grant with it, and no other', async () => {
    const [first, second, other] = [await sign(), await sign(), await sign()]
    const refresh = randomUUID()
    await report(first, refresh)
    await report(second, refresh)
    await report(other, randomUUID())
    const answer = await revoke(refresh, { token_type_hint: 'refresh_token' })
    assert.deepEqual(told(answer).slice(1), [refresh, 'alice@carbon.super'])
    await until('both are rejected', async () => (await isRejected(first)) && (await isRejected(second)))
    assert.equal((await enforcer.checkToken(other)).code, status.OK)
  })

  test('that is reported after its grant was revoked is rejected at once', async () => {
    const refresh = randomUUID()
    await report(await sign(), refresh)
    await revoke(refresh)
    const late = await sign()
    await report(late, refresh)
    await until('it is rejected', () => isRejected(late))
  })

  test('that is an access token tells its refresh token, whatever the hint, and leaves the grant alone', async () => {
    for (const hint of [undefined, 'access_token', 'refresh_token', 'unheard-of']) {
      const [access, sibling, refresh] = [await sign(), await sign(), randomUUID()]
      await report(sibling, refresh)
      await report(access, refresh)
      const answer = await revoke(access, hint === undefined ? {} : { token_type_hint: hint })
      assert.deepEqual(told(answer), [access, refresh, 'alice@carbon.super'])
      await until('it is rejected', () => isRejected(access))
      assert.equal((await enforcer.checkToken(sibling)).code, status.OK)
    }
  })

  test('that is opaque is revoked', async () => {
    const access = randomUUID()
    await report(access)
    assert.deepEqual(told(await revoke(access)), [access, null, 'alice@carbon.super'])
    const again = await assertNothingAppended(stack.ports.revoker, () => revoke(access))
    assert.equal(again.status, 200)
  })

  test('of a public client tells no refresh token, for nobody has proved anything', async () => {
    const [access, refresh] = [await sign('spa'), randomUUID()]
    await report(access, refresh, { clientId: 'spa' })
    const answer = await revoke(access, { client_id: 'spa' }, {})
    assert.deepEqual(told(answer), [access, null, 'alice@carbon.super'])
  })

  test('of another client is answered like one that nobody knows, and nothing of its grant is revoked', async () => {
    const [access, refresh] = [await sign('spa'), randomUUID()]
    await report(access, refresh, { clientId: 'spa' })
    await assertNothingAppended(stack.ports.revoker, async () => {
      const answers = [await revoke('unknown'), await revoke(refresh), await revoke(access)]
      const [unknown, ...others] = answers.map(answer => ({
        ...answer,
        headers: [...answer.headers].filter(([name]) => name !== 'date'),
      }))
      for (const answer of others) assert.deepEqual(answer, unknown)
    })
    const later = await sign('spa')
    await assertNothingAppended(stack.ports.revoker, () => report(later, refresh, { clientId: 'spa' }))
    assert.equal((await enforcer.checkToken(later)).code, status.OK)
  })
})
