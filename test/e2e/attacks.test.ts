/**
 * Tokens that must not pass, through the real Envoy: each is rejected for its own reason, while a good one passes.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { until } from '../support/condition.ts'
import { assertAllowed, assertDenied, createGateway, type Gateway } from '../support/gateway.ts'
import type { TestIssuer } from '../support/issuer.ts'
import { requireService } from '../support/requires.ts'
import { revokeAsAdmin } from '../support/revoking.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { flipPaddingBits, malleate, withPayload } from '../support/token-forgery.ts'

const now = () => Math.floor(Date.now() / 1000)

/** Signed by a key of the attacker's, which the header brings along (RFC 7515 section 4.1.3). */
const withOwnKey = async (issuer: TestIssuer): Promise<string> => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const payload = (await issuer.sign()).split('.')[1] as string
  return new CompactSign(Buffer.from(payload, 'base64url'))
    .setProtectedHeader({ alg: 'RS256', kid: 'mine', jwk: await exportJWK(publicKey) })
    .sign(privateKey)
}

const rejected: readonly {
  what: string
  reason: string
  token: (issuer: TestIssuer) => Promise<string>
}[] = [
  {
    what: 'expired',
    reason: 'expired',
    token: issuer => issuer.sign({ iat: now() - 400, exp: now() - 100 }),
  },
  { what: 'not yet valid', reason: 'not_yet_valid', token: issuer => issuer.sign({ nbf: now() + 200 }) },
  {
    what: 'issued in the future',
    reason: 'issued_in_future',
    token: issuer => issuer.sign({ iat: now() + 200, exp: now() + 300 }),
  },
  {
    what: 'of an issuer that nobody configured',
    reason: 'unknown_issuer',
    token: issuer => issuer.sign({ iss: 'https://op.example' }),
  },
  {
    what: 'for another audience',
    reason: 'wrong_audience',
    token: issuer => issuer.sign({ aud: 'https://other.example' }),
  },
  {
    what: 'for no audience',
    reason: 'wrong_audience',
    token: issuer => issuer.sign({ aud: undefined }),
  },
  { what: 'without exp', reason: 'missing_exp', token: issuer => issuer.sign({ exp: undefined }) },
  { what: 'with exp as text', reason: 'missing_exp', token: issuer => issuer.sign({ exp: '9999999999' }) },
  {
    what: 'with exp 99999999999999',
    reason: 'lifetime_too_long',
    token: issuer => issuer.sign({ exp: 99999999999999 }),
  },
  { what: 'without iat', reason: 'missing_iat', token: issuer => issuer.sign({ iat: undefined }) },
  {
    what: 'with alg none',
    reason: 'algorithm_not_allowed',
    token: issuer => issuer.sign({}, { alg: 'none' }),
  },
  {
    what: 'signed by HS256 with the public RSA key as secret',
    reason: 'algorithm_not_allowed',
    token: issuer => issuer.sign({}, { alg: 'HS256' }),
  },
  {
    what: 'with the kid of no key',
    reason: 'unknown_key',
    token: issuer => issuer.sign({}, { kid: 'of-nobody' }),
  },
  {
    what: 'with the kid of a key for another algorithm',
    reason: 'unknown_key',
    token: issuer => issuer.sign({}, { kid: issuer.kid('ES256') }),
  },
  { what: 'with a key of its own in the header', reason: 'unknown_key', token: withOwnKey },
  {
    what: 'whose payload was changed',
    reason: 'bad_signature',
    token: async issuer => withPayload(await issuer.sign(), { sub: 'administrator' }),
  },
  {
    what: 'whose signature was left out',
    reason: 'bad_signature',
    token: async issuer => (await issuer.sign()).replace(/[^.]+$/, ''),
  },
  { what: 'that is not a JWT', reason: 'malformed', token: async () => 'b2f1c5f0-opaque' },
  { what: 'of three dots', reason: 'malformed', token: async () => '...' },
  { what: 'of 50 kB', reason: 'malformed', token: issuer => issuer.sign({ padding: 'x'.repeat(37_000) }) },
]

describe('Envoy and the enforcer', requireService('envoy'), () => {
  let stack: Stack
  let gateway: Gateway
  const isRejected = (revoked: string) =>
    until('it is rejected', async () => (await gateway.callWith(revoked)).status === 401)

  before(async () => {
    stack = await startStack({ envoy: true })
    gateway = createGateway({
      envoyPort: stack.envoy.port,
      enforcerAdminPort: stack.ports.enforcerAdmin,
      control: () => stack.issuer.sign(),
    })
  })
  after(() => stack.stop())

  for (const { what, reason, token } of rejected) {
    test(`reject a token ${what}`, async () => {
      assertDenied(await gateway.round(await token(stack.issuer)), reason)
    })
  }

  test('accept a token of every algorithm, also one without kid', async () => {
    for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
      assertAllowed(await gateway.round(await stack.issuer.sign({}, { alg })))
      assertAllowed(await gateway.round(await stack.issuer.sign({}, { alg, kid: null })))
    }
  })

  /** A second form of a token that says the same and verifies too. */
  const variants: readonly {
    what: string
    alg: 'RS256' | 'ES256'
    without?: 'jti'
    change: (token: string) => string
  }[] = [
    { what: 'other padding bits', alg: 'RS256', change: flipPaddingBits },
    { what: 'other padding bits', alg: 'RS256', without: 'jti', change: flipPaddingBits },
    { what: 'the other signature of ECDSA', alg: 'ES256', change: malleate },
    { what: 'the other signature of ECDSA', alg: 'ES256', without: 'jti', change: malleate },
  ]
  for (const { what, alg, without, change } of variants) {
    const how = `${alg}${without === undefined ? '' : `, without ${without}`}`
    test(`decide alike about a token and the same with ${what} (${how})`, async () => {
      const claims = without === undefined ? {} : { [without]: undefined, nonce: `${what} ${alg}` }
      const original = await stack.issuer.sign(claims, { alg })
      const changed = change(original)
      assert.notEqual(changed, original)
      assertAllowed(await gateway.round(original))
      assertAllowed(await gateway.round(changed))

      await revokeAsAdmin(stack.ports.revoker, { token: changed })
      await isRejected(original)
      assertDenied(await gateway.round(original), 'revoked')
      assertDenied(await gateway.round(changed), 'revoked')
    })
  }

  test('round a fractional iat down before they compare it', async () => {
    const { issuer, ports } = stack
    const cutAt = now() - 60
    const token = (iat: number) => issuer.sign({ sub: 'fractional', iat, exp: now() + 300 })
    const [earlier, later] = [await token(cutAt + 0.9), await token(cutAt + 1.1)]
    assertAllowed(await gateway.round(earlier))
    assertAllowed(await gateway.round(later))

    await revokeAsAdmin(ports.revoker, {
      match: { iss: issuer.issuer, sub: 'fractional' },
      issuedBefore: cutAt,
    })
    await isRejected(earlier)
    assertDenied(await gateway.round(earlier), 'revoked')
    assertAllowed(await gateway.round(later))
  })
})
