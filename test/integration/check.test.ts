/**
 * Checks of a running `rescind`, asked as Envoy asks: what is decided, when, and that there is always an answer with a
 * status or an error.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient, type EnforcerClient } from '../support/enforcer-client.ts'
import { revokeAs, revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'
import { flipPaddingBits, malleate } from '../support/token-forgery.ts'

describe('an enforcer', () => {
  let stack: Stack
  let enforcer: EnforcerClient
  before(async () => {
    stack = await startStack()
    enforcer = createEnforcerClient(stack.ports.enforcer)
  })
  after(async () => {
    enforcer.close()
    await stack.stop()
  })

  const assertAllowed = async (token: string): Promise<void> => {
    const { code, answer } = await enforcer.checkToken(token)
    assert.equal(code, status.OK)
    assert.deepEqual(answer.okResponse?.headers ?? [], [])
    assert.equal(answer.deniedResponse ?? null, null)
  }
  const assertRevoked = async (token: string): Promise<void> => {
    const { code, status: httpStatus, reason } = await enforcer.checkToken(token)
    assert.deepEqual([code, httpStatus, reason], [status.UNAUTHENTICATED, 401, 'revoked'])
    await assertAllowed(await stack.issuer.sign())
  }
  const isRejected = (token: string) =>
    until('it is rejected', async () => (await enforcer.checkToken(token)).code !== status.OK)

  test('rejects a token that passed a moment ago as soon as it is revoked, for that reason', async () => {
    const inSession = () => stack.issuer.sign({ sid: 's1' })
    const token = await inSession()
    await assertAllowed(token)
    const expiresAt = Math.floor(Date.now() / 1000) + 3600
    await revokeAsAdmin(stack.ports.revoker, { match: { iss: stack.issuer.issuer, sid: 's1' }, expiresAt })
    await until('another token of the session, never seen before, is rejected', async () => {
      const decision = await enforcer.checkToken(await inSession())
      return decision.reason === 'revoked'
    })
    await assertRevoked(token)
  })

  test('rejects a token with the same claims and other octets of signature, too', async () => {
    const claims = { jti: undefined, nonce: 'no id of its own' }
    for (const [alg, change] of [
      ['RS256', flipPaddingBits],
      ['ES256', malleate],
    ] as const) {
      const token = await stack.issuer.sign(claims, { alg })
      const changed = change(token)
      await assertAllowed(token)
      await assertAllowed(changed)
      await revokeAsAdmin(stack.ports.revoker, { token })
      await isRejected(token)
      await assertRevoked(token)
      await assertRevoked(changed)
    }
  })

  test('lets another client revoke nothing', async () => {
    const foreign = await stack.issuer.sign({ client_id: 'another-client' })
    const own = await stack.issuer.sign({ client_id: testClient.id })
    await revokeAs(stack.ports.revoker, testClient, foreign)
    await revokeAs(stack.ports.revoker, testClient, own)
    await isRejected(own)
    await assertAllowed(foreign)
    await assertRevoked(own)
  })

  test('gives every denial a status that denies and an HTTP status of at least 400', async () => {
    const denied = ['', 'Bearer', 'Bearer malformed', 'Bearer a,Bearer b', 'Basic dXNlcjpwYXNzd29yZA==']
    for (const authorization of denied) {
      for (const contentType of ['application/json', 'application/grpc']) {
        const decision = await enforcer.check({ authorization, 'content-type': contentType })
        assert.equal(decision.code, status.UNAUTHENTICATED, authorization)
        assert.ok(decision.status >= 400)
        assert.equal(decision.answer.okResponse ?? null, null)
      }
    }
  })

  test('answers a request that it cannot read with an error and not with an answer', async () => {
    await assert.rejects(enforcer.checkBytes(Buffer.from('ff', 'hex')), { code: status.INVALID_ARGUMENT })
  })
})
