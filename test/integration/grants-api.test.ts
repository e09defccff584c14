/** `POST /grants` of a running `rescind all`: who may report what, and what is answered. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hashSecret } from '../../token/secret.ts'
import { post, type RevokerAnswer } from '../support/revoking.ts'
import { adminToken, type Stack, type StackConfig, startStack } from '../support/stack.ts'

const feederToken = 'token-of-a-feeder'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const otherIssuer = 'https://other.example'

const withGrants = (hash: string) => (config: StackConfig) => {
  config.issuers.push({ issuer: otherIssuer })
  config.revoker.adminAddress = '127.0.0.1:0'
  config.revoker.grants = {
    store: 'lmdb',
    folder: join(config.eventLog.folder, '..', 'grants'),
    feeders: [
      { name: 'someone', hash: hash.replace(/.$/, 'A'), issuers: [config.issuers[0].issuer] },
      { name: 'idp', hash, issuers: [config.issuers[0].issuer] },
    ],
  }
}

describe('POST /grants', () => {
  let stack: Stack
  before(async () => {
    stack = await startStack({ edit: withGrants(await hashSecret(feederToken)) })
  })
  after(() => stack.stop())

  const send = (
    body: unknown,
    headers: Record<string, string> = bearer(feederToken),
  ): Promise<RevokerAnswer> =>
    post(stack.ports.revoker, '/grants', typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    })
  const report = (changes: object = {}) => ({
    issuer: stack.issuer.issuer,
    clientId: 'test-client',
    subject: 'alice',
    accessToken: { token: 'an-access-token' },
    refreshToken: { token: 'a-refresh-token' },
    ...changes,
  })
  const code = ({ body }: RevokerAnswer): string => (JSON.parse(body) as { code: string }).code

  test('takes a report, the same again, and a list, also after a restart', async () => {
    const answer = await send(report())
    assert.deepEqual([answer.status, answer.body], [204, ''])
    assert.equal((await send(report())).status, 204)
    const list = Array.from({ length: 100 }, (_, index) => report({ accessToken: { token: `${index}` } }))
    assert.equal((await send(list)).status, 204)
    await stack.kill()
    await stack.startAgain()
    assert.equal((await send(report())).status, 204)
    const theirs = await send(report({ clientId: 'other', refreshToken: undefined }))
    assert.deepEqual([theirs.status, code(theirs)], [409, 'ERR_GRANT_REFUSED'])
  })

  test('lets nobody in but feeders', async () => {
    for (const [headers, challenge] of [
      [{}, 'Bearer'],
      [bearer('wrong'), 'Bearer error="invalid_token"'],
      [bearer(adminToken), 'Bearer error="invalid_token"'],
      [{ authorization: 'Basic YTpi' }, 'Bearer'],
    ] as const) {
      const answer = await send('{', headers)
      assert.deepEqual([answer.status, code(answer)], [401, 'ERR_FEEDER_UNAUTHENTICATED'])
      assert.equal(answer.headers.get('www-authenticate'), challenge)
    }
  })

  test('lets who guesses wait, and no feeder with him', async () => {
    assert.equal((await send(report())).status, 204)
    const answers: RevokerAnswer[] = []
    while (answers.at(-1)?.status !== 429 && answers.length < 50)
      answers.push(await send('{', bearer(`guess-${answers.length}`)))
    assert.equal(answers.at(-1)?.status, 429)
    assert.ok(Number(answers.at(-1)?.headers.get('retry-after')) >= 1)
    assert.equal((await send(report())).status, 204)
  })

  test('takes of each feeder only tokens of its issuers', async () => {
    const answer = await send([report(), report({ issuer: otherIssuer })])
    assert.deepEqual([answer.status, code(answer)], [403, 'ERR_GRANT_FORBIDDEN'])
  })

  test('refuses what is malformed or too much', async () => {
    const malformed = [
      '{',
      '[]',
      {},
      report({ extra: 1 }),
      report({ accessToken: 'token' }),
      report({ accessToken: { token: 'x'.repeat(16_385) } }),
      report({ scopes: Array(101).fill('scope') }),
      Array(101).fill(report()),
    ]
    for (const body of malformed) {
      const answer = await send(body)
      assert.deepEqual([answer.status, code(answer)], [400, 'ERR_REQUEST_INVALID'], answer.body)
    }
    const long = Array.from({ length: 100 }, () => report({ subject: 'x'.repeat(1_000) }))
    const large = await send(long.map(each => ({ ...each, refreshToken: { token: 'y'.repeat(16_000) } })))
    assert.equal(large.status, 413)
    const nothing = await send({ issuer: stack.issuer.issuer, clientId: 'test-client' })
    assert.deepEqual([nothing.status, code(nothing)], [409, 'ERR_GRANT_REFUSED'])
  })

  test('writes no token to the log', () => {
    const output = stack.rescind.output()
    assert.ok(output.length > 0)
    for (const token of ['an-access-token', 'a-refresh-token', feederToken])
      assert.ok(!output.includes(token))
  })
})

test('without a store POST /grants answers that the registry is off', async () => {
  const stack = await startStack()
  const answer = await post(stack.ports.revoker, '/grants', '{}', bearer('any'))
  assert.deepEqual([answer.status, JSON.parse(answer.body).code], [404, 'ERR_GRANTS_OFF'])
  await stack.stop()
})
