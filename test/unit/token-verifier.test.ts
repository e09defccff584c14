/** Verifying tokens: what is accepted, and how claims are judged. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generatePair, signToken } from '../support/token-issuer.ts'
import { someClaims, someIssuer, someNow, someRules, useVerifier } from '../support/token-verifier-fixture.ts'

describe('a token verifier', () => {
  const t = useVerifier()

  it('accepts a genuine token and says what it is', async () => {
    await t.start()
    const text = await signToken(t.rsa, {
      ...someClaims,
      iat: someNow - 4.2,
      exp: someNow + 300.5,
      aud: ['x', 'api'],
    })
    const answer = await t.verifier.verify(text, someRules)
    assert.ok(answer.ok)
    const { issuer, kid, expSeconds, iatSeconds, audiences, payload, header } = answer.token
    assert.deepEqual(
      { issuer, kid, expSeconds, iatSeconds, audiences },
      {
        issuer: someIssuer,
        kid: 'rsa',
        expSeconds: someNow + 300.5,
        iatSeconds: someNow - 5,
        audiences: ['x', 'api'],
      },
    )
    assert.equal(payload.sub, 'user')
    assert.equal(header.alg, 'RS256')
  })

  it('verifies RS, PS, ES and EdDSA signatures', async () => {
    const pairs = await Promise.all(
      ['RS512', 'PS256', 'ES384', 'ES512', 'EdDSA'].map(alg => generatePair(alg, alg)),
    )
    t.server.publish(pairs)
    await t.start()
    for (const pair of pairs) assert.equal((await t.genuine(await signToken(pair, someClaims))).kid, pair.alg)
  })

  it('judges the claims of a genuine token, and only of a genuine one', async () => {
    await t.start()
    const cases: [object, string][] = [
      [{ exp: someNow - 30 }, 'expired'],
      [{ exp: undefined }, 'missing_exp'],
      [{ exp: 99_999_999_999_999 }, 'lifetime_too_long'],
      [{ iat: undefined }, 'missing_iat'],
      [{ iat: someNow + 31 }, 'issued_in_future'],
      [{ nbf: someNow + 31 }, 'not_yet_valid'],
      [{ aud: 'other' }, 'wrong_audience'],
      [{ aud: undefined }, 'wrong_audience'],
    ]
    for (const [changes, reason] of cases) {
      const token = await signToken(t.rsa, { ...someClaims, ...changes })
      assert.equal(await t.verdict(token), reason)
      assert.equal(await t.verdict(token.slice(0, -8)), 'bad_signature')
    }
  })

  it('accepts for a revoker what is not valid yet, for another audience, or expired a short time ago', async () => {
    await t.start()
    const revoker = {
      ignoreNotBefore: true,
      ignoreAudience: true,
      expiredGraceSeconds: 300,
      futureGraceSeconds: 300,
    }
    for (const changes of [
      { nbf: someNow + 100 },
      { aud: 'other' },
      { exp: someNow - 329 },
      { iat: someNow + 330 },
    ]) {
      const token = await signToken(t.rsa, { ...someClaims, ...changes })
      assert.equal(await t.verdict(token, revoker), 'ok')
      assert.notEqual(await t.verdict(token), 'ok')
    }
    assert.equal(
      await t.verdict(await signToken(t.rsa, { ...someClaims, exp: someNow - 330 }), revoker),
      'expired',
    )
  })

  it('lets a verified token be checked again by the clock alone', async () => {
    await t.start()
    const token = await t.genuine(await signToken(t.rsa, someClaims))
    assert.equal(t.verifier.check(token, someRules), undefined)
    t.nowMs = (someClaims.exp + 30) * 1000 - 1
    assert.equal(t.verifier.check(token, someRules), undefined)
    t.nowMs += 1
    assert.equal(t.verifier.check(token, someRules), 'expired')
    assert.equal(t.verifier.check(token, { ...someRules, expiredGraceSeconds: 1 }), undefined)
  })

  it('writes no token and no claim to the log', async () => {
    await t.start()
    const token = await signToken(t.rsa2, { ...someClaims, sub: 'somebody-private' })
    t.server.answers.clear()
    await t.verdict(token)
    assert.ok(t.log.lines.length >= 2)
    const text = JSON.stringify(t.log.lines)
    assert.ok(!text.includes(token.slice(0, 40)) && !text.includes('somebody-private'))
  })
})
