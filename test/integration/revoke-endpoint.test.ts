/**
 * The revocation endpoint (RFC 7009) of a running `rescind all`: who is refused, and that nothing is appended then.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import {
  assertNothingAppended,
  basic,
  post,
  type RevokerAnswer,
  revokeAs,
  takeVersion,
} from '../support/revoking.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'
import { withPayload } from '../support/token-forgery.ts'

const form = (fields: Record<string, string>) => new URLSearchParams(fields)
const wrongSecret = { id: testClient.id, secret: 'wrong' }
const unknownClient = { id: 'nobody', secret: testClient.secret }
const formType = { 'content-type': 'application/x-www-form-urlencoded' }

describe('the revocation endpoint', () => {
  let stack: Stack
  let port: number
  before(async () => {
    stack = await startStack()
    port = stack.ports.revoker
  })
  after(() => stack.stop())
  const mine = (claims: object = {}) => stack.issuer.sign({ client_id: testClient.id, ...claims })

  const refused: readonly {
    what: string
    status: number
    error?: string
    challenge?: string
    send: (token: string) => Promise<RevokerAnswer>
  }[] = [
    {
      what: 'without a token',
      status: 400,
      error: 'invalid_request',
      send: () => post(port, '/oauth2/revoke', form({ token_type_hint: 'access_token' }), basic(testClient)),
    },
    {
      what: 'with an empty token',
      status: 400,
      error: 'invalid_request',
      send: () => revokeAs(port, testClient, ''),
    },
    {
      what: 'with the token given twice',
      status: 400,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', `token=${token}&token=${token}`, { ...formType, ...basic(testClient) }),
    },
    {
      what: 'with the hint given twice',
      status: 400,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', `token=${token}&token_type_hint=a&token_type_hint=b`, {
          ...formType,
          ...basic(testClient),
        }),
    },
    {
      what: 'with 100 parameters',
      status: 400,
      error: 'invalid_request',
      send: token => {
        const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, '']))
        return post(port, '/oauth2/revoke', form({ token, ...many }), basic(testClient))
      },
    },
    {
      what: 'without credentials',
      status: 401,
      error: 'invalid_client',
      send: token => post(port, '/oauth2/revoke', form({ token })),
    },
    {
      what: 'with a client_id alone',
      status: 401,
      error: 'invalid_client',
      send: token => post(port, '/oauth2/revoke', form({ token, client_id: testClient.id })),
    },
    {
      what: 'with credentials in header and body',
      status: 401,
      error: 'invalid_client',
      challenge: 'Basic realm="rescind"',
      send: token =>
        post(
          port,
          '/oauth2/revoke',
          form({ token, client_id: testClient.id, client_secret: testClient.secret }),
          basic(testClient),
        ),
    },
    {
      what: 'with a wrong secret',
      status: 401,
      error: 'invalid_client',
      challenge: 'Basic realm="rescind"',
      send: token => revokeAs(port, wrongSecret, token),
    },
    {
      what: 'with a wrong secret in the body',
      status: 401,
      error: 'invalid_client',
      send: token => post(port, '/revoke', form({ token, client_id: testClient.id, client_secret: 'wrong' })),
    },
    {
      what: 'of a client that nobody configured',
      status: 401,
      error: 'invalid_client',
      challenge: 'Basic realm="rescind"',
      send: token => revokeAs(port, unknownClient, token),
    },
    {
      what: 'with the token itself as bearer token',
      status: 401,
      error: 'invalid_client',
      challenge: 'Basic realm="rescind"',
      send: token => post(port, '/oauth2/revoke', form({ token }), { authorization: `Bearer ${token}` }),
    },
    {
      what: 'in JSON',
      status: 415,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', JSON.stringify({ token }), {
          'content-type': 'application/json',
          ...basic(testClient),
        }),
    },
    {
      what: 'in another charset',
      status: 415,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', `token=${token}`, {
          'content-type': 'application/x-www-form-urlencoded; charset=UTF-16',
          ...basic(testClient),
        }),
    },
    {
      what: 'in a type that nobody reads',
      status: 415,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', `token=${token}`, { 'content-type': 'text/xml', ...basic(testClient) }),
    },
    {
      what: 'of 1 MB',
      status: 413,
      error: 'invalid_request',
      send: token =>
        post(port, '/oauth2/revoke', form({ token, padding: 'x'.repeat(1_000_000) }), basic(testClient)),
    },
    {
      what: 'at a path that is not there',
      status: 404,
      send: token => post(port, '/oauth2/revoked', form({ token }), basic(testClient)),
    },
  ]
  for (const { what, status, error, challenge, send } of refused) {
    test(`refuses a request ${what}, and appends nothing`, async () => {
      const token = await mine()
      const answer = await assertNothingAppended(port, () => send(token))
      assert.equal(answer.status, status, answer.body)
      const body = JSON.parse(answer.body) as { error?: string; title?: string }
      assert.equal(body.error, error)
      assert.equal(answer.headers.get('www-authenticate'), challenge ?? null)
      assert.equal(answer.headers.get('revokedaccesstoken'), null)
      assert.doesNotMatch(answer.body, /\bat .*\.[jt]s:\d+/, 'no stack trace')
    })
  }

  test('answers a token that it cannot know with 200, an empty body and no Revoked... headers', async () => {
    const unknown = [
      'opaque',
      withPayload(await mine(), { sub: 'administrator' }),
      await mine({ iss: 'https://op.example' }),
      await stack.issuer.sign({ client_id: testClient.id }, { alg: 'none' }),
      await mine({ exp: 1_000_000_000, iat: 999_999_000 }),
    ]
    for (const token of unknown) {
      const answer = await assertNothingAppended(port, () => revokeAs(port, testClient, token))
      assert.deepEqual([answer.status, answer.body], [200, ''])
      assert.deepEqual(
        [...answer.headers.keys()].filter(name => /revoked|authorized/i.test(name)),
        [],
      )
    }
  })

  test("answers another client's token byte by byte like one that it cannot know", async () => {
    const theirs = await stack.issuer.sign({ client_id: 'another-client' })
    const answers = await assertNothingAppended(port, async () => [
      await revokeAs(port, testClient, 'opaque'),
      await revokeAs(port, testClient, theirs),
    ])
    const [unknown, foreign] = answers.map(answer => ({
      ...answer,
      headers: [...answer.headers].filter(([name]) => name !== 'date'),
    }))
    assert.deepEqual(foreign, unknown)
  })

  test('appends a token once, with the jti of the token and its exp', async () => {
    const token = await mine({ sub: 'user-7' })
    const before = await takeVersion(port)
    const answer = await revokeAs(port, testClient, token)
    assert.deepEqual(
      [
        answer.status,
        answer.headers.get('revokedaccesstoken'),
        answer.headers.get('authorizeduser'),
        decodeJwt(token).sub,
      ],
      [200, token, 'user-7@carbon.super', 'user-7'],
    )
    assert.equal(await takeVersion(port), before + 2)
    const repeated = await assertNothingAppended(port, () => revokeAs(port, testClient, token))
    assert.equal(repeated.headers.get('revokedaccesstoken'), token)
  })

  test('lets nothing out of a sub into the headers of its answer', async () => {
    const sub = 'eve\r\nSet-Cookie: session=1\r\n\r\n<script>é😀\u0000'
    const answer = await revokeAs(port, testClient, await mine({ sub }))
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('set-cookie'), null)
    assert.equal(
      answer.headers.get('authorizeduser'),
      'eve%0D%0ASet-Cookie: session=1%0D%0A%0D%0A<script>%C3%A9%F0%9F%98%80%00@carbon.super',
    )
    assert.equal(answer.body, '')
  })

  test('answers 503 when many first-seen secrets arrive, and goes on for who is known', async () => {
    assert.equal((await revokeAs(port, testClient, await mine())).status, 200)
    const strangers = Array.from({ length: 100 }, (_, index) =>
      revokeAs(port, { id: testClient.id, secret: `guess-${index}` }, 'opaque'),
    )
    const overloaded = await Promise.race([
      ...strangers.map(async answer =>
        (await answer).status === 503 ? answer : new Promise<never>(() => undefined),
      ),
    ])
    const known = await revokeAs(port, testClient, await mine())
    assert.equal(known.status, 200, 'a remembered secret does not wait')
    assert.equal(overloaded.headers.get('retry-after'), '1')

    const statuses = (await Promise.all(strangers)).map(answer => answer.status)
    // Those that were verified after too many had failed are told nothing.
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429, 503])
  })
})
