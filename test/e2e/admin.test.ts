/**
 * What administrators revoke, by the claim sets that are built in, through the real Envoy: whom it hits, whom it spares.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { runCommandLine } from '../support/command-line.ts'
import { until } from '../support/condition.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import type { TestIssuer } from '../support/issuer.ts'
import { requireService } from '../support/requires.ts'
import { type AdminAnswer, postRevocation, revokeAsAdmin } from '../support/revoking.ts'
import { adminToken, type Stack, startStack } from '../support/stack.ts'

const now = () => Math.floor(Date.now() / 1000)
const inAnHour = () => now() + 3600

interface Case {
  readonly name: string
  /** The body of the revocation. */
  revocation(issuer: TestIssuer): object
  /** Tokens that it hits. */
  hits(issuer: TestIssuer): readonly Promise<string>[]
  /** Tokens that it spares although they are close. */
  spares(issuer: TestIssuer): readonly Promise<string>[]
}

const cases: readonly Case[] = [
  {
    name: '{iss, jti}: one token',
    revocation: ({ issuer }) => ({ match: { iss: issuer, jti: 'one' }, expiresAt: inAnHour() }),
    hits: issuer => [issuer.sign({ jti: 'one' })],
    spares: issuer => [issuer.sign({ jti: 'two' }), issuer.sign({ jti: undefined, sub: 'one' })],
  },
  {
    name: '{jti}: one token, whoever issued it',
    revocation: () => ({ match: { jti: 'anywhere' }, expiresAt: inAnHour() }),
    hits: issuer => [issuer.sign({ jti: 'anywhere' }, { alg: 'ES256' })],
    spares: issuer => [issuer.sign({ jti: 'Anywhere' })],
  },
  {
    name: '{iss, jti} with a number: the same as its decimal text',
    revocation: ({ issuer }) => ({ match: { iss: issuer, jti: 5 }, expiresAt: inAnHour() }),
    hits: issuer => [issuer.sign({ jti: '5' }), issuer.sign({ jti: 5 })],
    spares: issuer => [issuer.sign({ jti: '05' })],
  },
  {
    name: '{iss, sub} until a time: whatever the user gets meanwhile',
    revocation: ({ issuer }) => ({ match: { iss: issuer, sub: 'blocked' }, expiresAt: inAnHour() }),
    hits: issuer => [issuer.sign({ sub: 'blocked' }), issuer.sign({ sub: 'blocked', iat: now() + 20 })],
    spares: issuer => [issuer.sign({ sub: 'blocke' })],
  },
  {
    name: '{iss, $client}: by client_id, azp, or a single audience',
    revocation: ({ issuer }) => ({ match: { iss: issuer, $client: 'web' }, expiresAt: inAnHour() }),
    hits: issuer => [issuer.sign({ client_id: 'web' }), issuer.sign({ azp: 'web' })],
    spares: issuer => [
      issuer.sign({ client_id: 'app', azp: 'web' }),
      issuer.sign({ $client: 'web', client_id: 'app' }),
    ],
  },
  {
    name: '{iss, sid} issued before a time: what the session has got by then',
    revocation: ({ issuer }) => ({ match: { iss: issuer, sid: 'session' }, issuedBefore: now() - 30 }),
    hits: issuer => [issuer.sign({ sid: 'session', iat: now() - 100 })],
    spares: issuer => [issuer.sign({ sid: 'session' }), issuer.sign({ sid: 'other', iat: now() - 100 })],
  },
  {
    name: '{iss, $kid} with issuerWide: by the key that verified, also where the header names none',
    revocation: issuer => ({
      match: { iss: issuer.issuer, $kid: issuer.kid('EdDSA') },
      expiresAt: inAnHour(),
      issuerWide: true,
    }),
    hits: issuer => [issuer.sign({}, { alg: 'EdDSA' }), issuer.sign({}, { alg: 'EdDSA', kid: null })],
    spares: issuer => [
      issuer.sign({}, { alg: 'ES256' }),
      issuer.sign({ $kid: issuer.kid('EdDSA'), kid: issuer.kid('EdDSA') }),
    ],
  },
  {
    name: '{iss} with issuerWide, issued before a time: everything that was issued by then',
    revocation: ({ issuer }) => ({ match: { iss: issuer }, issuedBefore: now() - 150, issuerWide: true }),
    hits: issuer => [issuer.sign({ iat: now() - 200 }), issuer.sign({ iat: now() - 200 }, { alg: 'ES256' })],
    spares: issuer => [issuer.sign()],
  },
]

describe('an administrator', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway

  const assertRejected = async (token: string): Promise<void> => {
    await until('it is rejected', async () => (await gateway.callWith(token)).status === 401)
    assertDenied(await gateway.round(token), 'revoked')
  }

  before(async () => {
    stack = await startStack({ envoy: true })
    const control = await stack.issuer.sign()
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: async () => control,
    })
  })
  after(() => stack.stop())

  for (const { name, revocation, hits, spares } of cases) {
    test(`revokes by ${name}`, async () => {
      const [hit, spared] = await Promise.all([
        Promise.all(hits(stack.issuer)),
        Promise.all(spares(stack.issuer)),
      ])
      for (const token of [...hit, ...spared]) assertAllowed(await gateway.round(token))
      await revokeAsAdmin(stack.ports.revoker, revocation(stack.issuer))
      for (const token of hit) await assertRejected(token)
      for (const token of spared) assertAllowed(await gateway.round(token))
    })
  }

  test('revokes a user up to now: what was issued later passes, and is no longer there tomorrow', async () => {
    const { issuer, ports } = stack
    const early = await issuer.sign({ sub: 'logged-out' })
    assertAllowed(await gateway.round(early))
    const { issuedBefore, expiresAt } = await revokeAsAdmin(ports.revoker, {
      match: { iss: issuer.issuer, sub: 'logged-out' },
      issuedBefore: 'now',
      reason: 'laptop stolen',
    })
    assert.ok(issuedBefore !== undefined && issuedBefore >= (decodeJwt(early).iat ?? Number.NaN))
    assert.equal(expiresAt - issuedBefore, 30 * 24 * 3600, 'as long as a token may live')
    await assertRejected(early)
    await assertRejected(await issuer.sign({ sub: 'logged-out', iat: issuedBefore }))
    assertAllowed(await gateway.round(await issuer.sign({ sub: 'logged-out', iat: issuedBefore + 1 })))
  })

  test('may repeat a revocation: nothing is appended twice', async () => {
    const body = { match: { iss: stack.issuer.issuer, jti: 'twice' }, expiresAt: inAnHour() }
    const first = await revokeAsAdmin(stack.ports.revoker, body)
    const again = () => revokeAsAdmin(stack.ports.revoker, body)
    const repeated = await until('the revoker knows it', async () => {
      const answer = await again()
      return answer.id === null && answer
    })
    assert.equal(typeof first.id, 'string')
    assert.deepEqual(
      [repeated.version >= first.version, repeated.expiresAt, (await again()).version],
      [true, first.expiresAt, repeated.version],
    )
    await assertRejected(await stack.issuer.sign({ jti: 'twice' }))
  })

  const commandLines = [
    { how: 'as an argument', args: (token: string) => [token], input: () => '' },
    { how: 'from standard input', args: () => ['-'], input: (token: string) => `${token}\n` },
  ]
  for (const { how, args, input } of commandLines) {
    test(`revokes with the command line, the token given ${how}`, async () => {
      const token = await stack.issuer.sign()
      assertAllowed(await gateway.round(token))
      const server = `http://127.0.0.1:${stack.ports.revoker}`
      const result = await runCommandLine(['revoke', ...args(token), '--server', server, '--json'], {
        env: { RESCIND_ADMIN_TOKEN: adminToken },
        input: input(token),
      })
      assert.deepEqual([result.exitCode, result.stderr], [0, ''])
      const answer = JSON.parse(result.stdout) as AdminAnswer
      assert.deepEqual(answer.match, { iss: stack.issuer.issuer, jti: decodeJwt(token).jti })
      await assertRejected(token)
    })
  }

  test('has revoked nothing with what was refused', async () => {
    const victim = await stack.issuer.sign({ sub: 'victim' })
    const { issuer } = stack.issuer
    const body = { match: { iss: issuer, sub: 'victim' }, expiresAt: inAnHour() }
    const wrong = await postRevocation(stack.ports.revoker, body, { authorization: 'Bearer wrong' })
    const missing = await postRevocation(stack.ports.revoker, body, {})
    assert.deepEqual([wrong.status, missing.status], [401, 401])

    // A marker that was accepted later has arrived, so the refused ones would have too.
    await revokeAsAdmin(stack.ports.revoker, { match: { iss: issuer, sub: 'marker' }, expiresAt: inAnHour() })
    await assertRejected(await stack.issuer.sign({ sub: 'marker' }))
    assertAllowed(await gateway.round(victim))
  })
})
