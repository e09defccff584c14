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
import { freePort } from '../support/ports.ts'
import { type LogLine, type RescindProcess, startRescind } from '../support/processes.ts'
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

describe('an enforcer whose adapter goes away', () => {
  let stack: Stack
  let process: RescindProcess
  let enforcer: EnforcerClient
  let config: object
  let revoked: string
  const start = async (ready?: (line: LogLine) => boolean): Promise<void> => {
    process = await startRescind(['enforcer'], { config, ...(ready === undefined ? {} : { ready }) })
  }

  before(async () => {
    stack = await startStack()
    const port = await freePort()
    config = {
      log: { format: 'json' },
      issuers: stack.config.issuers,
      enforcer: {
        address: `127.0.0.1:${port}`,
        adminAddress: '127.0.0.1:0',
        adapters: [`127.0.0.1:${stack.ports.adapter}`],
        drainDelay: '0s',
      },
    }
    enforcer = createEnforcerClient(port)
    revoked = await stack.issuer.sign()
    await revokeAsAdmin(stack.ports.revoker, { token: revoked })
    await start()
    await stack.kill()
  })
  after(async () => {
    enforcer.close()
    await process.stop()
    await stack.stop()
  })

  test('goes on deciding by what it knows', async () => {
    await until('it has noticed', () => process.output().includes('no discovery from this adapter'))
    assert.equal(await enforcer.health(), 'SERVING')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
  })

  test('decides nothing after a restart, until an adapter has brought it everything', async () => {
    await process.stop()
    await start(line => line.msg === 'no discovery from this adapter; trying again')
    assert.equal(await enforcer.health(), 'NOT_SERVING')
    for (const token of [revoked, await stack.issuer.sign(), 'malformed']) {
      await assert.rejects(enforcer.checkToken(token), { code: status.UNAVAILABLE })
    }
    await stack.startAgain()
    await until('it serves', async () => (await enforcer.health()) === 'SERVING')
    assert.equal((await enforcer.checkToken(revoked)).reason, 'revoked')
    assert.equal((await enforcer.checkToken(await stack.issuer.sign())).code, status.OK)
  })
})
