/**
 * Requests as clients send them, through the real Envoy: where the token is, sizes, browsers, gRPC.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { createEnforcerClient } from '../support/enforcer-client.ts'
import {
  assertAllowed,
  assertDenied,
  countsOf,
  createGateway,
  type Gateway,
  type RequestHeaders,
} from '../support/gateway.ts'
import { requireService } from '../support/requires.ts'
import { revokeAs, revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack, testClient } from '../support/stack.ts'

const wso2Missing =
  '{"error_message":"Missing Credentials","code":"900902","error_description":"Make sure your API invocation call has a header: \\"Authorization : Bearer ACCESS_TOKEN\\""}'
const origin = 'https://app.example.test'

describe('Envoy and the enforcer', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway
  let good: string
  let revoked: string

  before(async () => {
    stack = await startStack({ envoy: true })
    const { issuer, ports } = stack
    good = await issuer.sign()
    revoked = await issuer.sign({ client_id: testClient.id })
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: ports.enforcerAdmin,
      control: async () => good,
    })
    await revokeAs(ports.revoker, testClient, revoked)
    await until('it is rejected', async () => (await gateway.callWith(revoked)).status === 401)
  })
  after(() => stack.stop())

  const accepted: readonly { what: string; headers: (token: string) => RequestHeaders }[] = [
    { what: 'lower-case bearer', headers: token => ({ authorization: `bearer ${token}` }) },
    { what: 'upper-case BEARER', headers: token => ({ authorization: `BEARER ${token}` }) },
    { what: 'an upper-case header name', headers: token => ({ AUTHORIZATION: `Bearer ${token}` }) },
    { what: 'several spaces before the token', headers: token => ({ authorization: `Bearer    ${token}` }) },
    { what: 'a space after the token', headers: token => ({ authorization: `Bearer ${token} ` }) },
  ]
  for (const { what, headers } of accepted) {
    test(`decide about a token by the token alone: ${what}`, async () => {
      assertAllowed(await gateway.round(headers(good)))
      assertDenied(await gateway.round(headers(revoked)), 'revoked')
    })
  }

  const denied: readonly {
    what: string
    reason: string
    headers: (good: string, revoked: string) => RequestHeaders
  }[] = [
    { what: 'without a token', reason: 'missing_token', headers: () => ({}) },
    {
      what: 'with an empty header',
      reason: 'missing_token',
      headers: () => ({ authorization: '' }),
    },
    {
      what: 'with Basic credentials',
      reason: 'missing_token',
      headers: () => ({ authorization: 'Basic dXNlcjpwYXNzd29yZA==' }),
    },
    {
      what: 'with Bearer and nothing after it',
      reason: 'missing_token',
      headers: () => ({ authorization: 'Bearer' }),
    },
    {
      what: 'with two words after Bearer',
      reason: 'malformed',
      headers: token => ({ authorization: `Bearer ${token} ${token}` }),
    },
    {
      what: 'with a revoked and a good token in two headers',
      reason: 'ambiguous_token',
      headers: (token, bad) => ({ authorization: [`Bearer ${bad}`, `Bearer ${token}`] }),
    },
    {
      what: 'with a good and a revoked token in two headers',
      reason: 'ambiguous_token',
      headers: (token, bad) => ({ authorization: [`Bearer ${token}`, `Bearer ${bad}`] }),
    },
    {
      what: 'with the same good token in two headers',
      reason: 'ambiguous_token',
      headers: token => ({ authorization: [`Bearer ${token}`, `Bearer ${token}`] }),
    },
    {
      what: 'with a comma in the header',
      reason: 'ambiguous_token',
      headers: token => ({ authorization: `Bearer ${token},` }),
    },
    {
      what: 'with another scheme in a second header',
      reason: 'ambiguous_token',
      headers: token => ({ authorization: [`Bearer ${token}`, 'Basic dXNlcjpwYXNzd29yZA=='] }),
    },
  ]
  for (const { what, reason, headers } of denied) {
    test(`deny a request ${what}`, async () => {
      assertDenied(await gateway.round(headers(good, revoked)), reason)
    })
  }

  test('say that the token is missing, without naming an error (RFC 6750 section 3.1)', async () => {
    const { answer } = await gateway.round({})
    assert.equal(answer.body, wso2Missing)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  })

  test('answer 431 to 100 kB of headers; the enforcer alone denies them', async t => {
    const huge = { authorization: `Bearer ${'a'.repeat(100_000)}` }
    const round = await gateway.round(huge)
    assert.deepEqual([round.answer.status, round.control.status], [431, 200])
    assert.deepEqual(round.counted, { 'allow allowed': 1 })

    const enforcer = createEnforcerClient(stack.ports.enforcer)
    t.after(() => enforcer.close())
    assert.equal((await enforcer.checkToken(good)).code, status.OK)
    const decision = await enforcer.check(huge)
    assert.deepEqual([decision.code, decision.status], [status.UNAUTHENTICATED, 401])
    assert.equal(decision.reason, 'malformed')
  })

  test('answer a CORS preflight without a token and without a check', async () => {
    const before = await countsOf(stack.ports.enforcerAdmin)
    const preflight = await gateway.call(
      {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
      { method: 'OPTIONS' },
    )
    assert.equal(preflight.status, 200)
    assert.equal(preflight.headers['access-control-allow-origin'], origin)
    assert.match(preflight.headers['access-control-allow-headers'] ?? '', /\bauthorization\b/)
    assert.deepEqual(await countsOf(stack.ports.enforcerAdmin), before)
  })

  test('let a page of an allowed origin read why it got a 401', async () => {
    const round = await gateway.round({ authorization: `Bearer ${revoked}`, origin })
    assertDenied(round, 'revoked')
    assert.equal(round.answer.headers['access-control-allow-origin'], origin)
    assert.equal(round.answer.headers['access-control-expose-headers'], 'www-authenticate')
  })

  test('let a gRPC client pass, and tell it UNAUTHENTICATED with a short sentence once it is revoked', async t => {
    const echo = grpcEcho(t, stack.envoy.port)
    const token = await stack.issuer.sign()
    assert.deepEqual(await echo(token), { code: status.OK, details: 'echoed' })

    await revokeAsAdmin(stack.ports.revoker, { token })
    const rejected = await until('it is rejected', async () => {
      const answer = await echo(token)
      return answer.code !== status.OK && answer
    })
    assert.deepEqual(rejected, { code: status.UNAUTHENTICATED, details: 'invalid token' })
    const round = await gateway.round({
      authorization: `Bearer ${token}`,
      'content-type': 'application/grpc',
    })
    assert.deepEqual(round.counted, { 'deny revoked': 1, 'allow allowed': 1 })
    assert.deepEqual(await echo(good), { code: status.OK, details: 'echoed' })
  })
})

/** A gRPC client that calls the API through Envoy with a token and gets its message back. */
const grpcEcho = (t: TestContext, port: number) => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  t.after(() => client.close())
  const same = (bytes: Buffer): Buffer => bytes
  return (token: string): Promise<{ code: status; details: string }> => {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${token}`)
    const message = Buffer.from('a message')
    return new Promise(done => {
      client.makeUnaryRequest(
        '/test.Echo/Say',
        same,
        same,
        message,
        metadata,
        (error: ServiceError | null, answer?: Buffer) => {
          if (error !== null) done({ code: error.code, details: error.details })
          else done({ code: status.OK, details: answer?.equals(message) ? 'echoed' : 'changed' })
        },
      )
    })
  }
}
