/** Several revokers on one log, of which one lags: what administrators do at one holds at all of them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hashSecret } from '../../token/secret.ts'
import { type AdminClient, assertProblem, createAdminClient } from '../support/admin-client.ts'
import { until } from '../support/condition.ts'
import { type Part, startPart } from '../support/part.ts'
import { freePort } from '../support/ports.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'
import { type SharedEnforcer, type SharedStack, startSharedStack } from '../support/shared-stack.ts'
import { adminToken } from '../support/stack.ts'

const expiresAt = Math.floor(Date.now() / 1000) + 3600

describe('two revokers on one log', requireService('redis'), () => {
  let redis: RunningRedis
  let stack: SharedStack
  let second: Part
  let here: AdminClient
  let there: AdminClient
  let enforcer: SharedEnforcer
  let iss: string
  before(async () => {
    redis = await startRedis()
    const log = { driver: 'redis', redis: { url: redis.url } }
    stack = await startSharedStack({ log })
    iss = stack.issuer.issuer
    const port = await freePort()
    second = await startPart('revoker', {
      config: {
        log: { format: 'json' },
        issuers: [{ issuer: iss, jwksUri: stack.issuer.jwksUri, audiences: [] }],
        eventLog: log,
        revoker: {
          address: `127.0.0.1:${port}`,
          adminAddress: '127.0.0.1:0',
          admin: { tokens: [{ name: 'tester', hash: await hashSecret(adminToken) }] },
        },
      },
    })
    here = createAdminClient(`http://127.0.0.1:${stack.revokerPort}`)
    there = createAdminClient(`http://127.0.0.1:${port}`)
    ;[enforcer] = stack.enforcers as [SharedEnforcer]
  })
  after(async () => {
    await second?.end('SIGTERM')
    await stack?.stop()
    await redis?.stop()
  })

  const reasonFor = async (token: string) => (await enforcer.client.checkToken(token)).reason

  test('restore what the other one revoked a moment ago, without waiting for it', async () => {
    for (let round = 0; round < 20; round++) {
      const [one, other] = round % 2 === 0 ? [here, there] : [there, here]
      const token = await stack.issuer.sign({ jti: `round-${round}` })
      const { id } = await one.do('POST', '/revocations', { token })
      const restored = await other.do('DELETE', `/revocations/${id}`)
      assert.deepEqual([restored.id, restored.already], [id, false])
      const again = await one.do('DELETE', `/revocations/${id}`)
      assert.equal(again.id, id)
      await until('it is accepted', async () => (await reasonFor(token)) === undefined)
    }
  })

  test('list at once what the other one revoked, and page on at the other one', async () => {
    const { revocations: made } = await here.do('POST', '/revocations:batch', {
      revocations: ['a', 'b', 'c'].map(sid => ({ match: { iss, sid }, expiresAt })),
    })
    const first = await there.do('GET', '/revocations?limit=2')
    const rest = await here.do('GET', `/revocations?cursor=${first.cursor}`)
    assert.deepEqual(
      [...first.revocations, ...rest.revocations].map(({ id }: { id: string }) => id),
      made.map(({ id }: { id: string }) => id),
    )
  })

  test('take revocations of a claim set that the other one declared, and restored ones stay so with a key', async () => {
    await here.do('POST', '/claim-sets', { names: ['iss', 'plan'] })
    const token = await stack.issuer.sign({ plan: 'free' })
    const revoke = (at: AdminClient) =>
      at.ask('POST', '/revocations', { match: { iss, plan: 'free' }, expiresAt }, { 'idempotency-key': 'k' })
    const first = await until('it was read there', async () => {
      const answer = await revoke(there)
      return answer.status === 201 && answer
    })
    await until('it is rejected', async () => (await reasonFor(token)) === 'revoked')
    await here.do('DELETE', `/revocations/${first.body.id}`)
    await until('it is accepted', async () => (await reasonFor(token)) === undefined)
    assertProblem(await revoke(here), 409, 'ERR_REVOCATION_RESTORED')
    assert.equal(await reasonFor(token), undefined)
  })
})
