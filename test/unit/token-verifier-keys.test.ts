/** The keys behind token verification: which one verified, rotation, outages, deadlines. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import type { IssuerSettings } from '../../token/verifier.ts'
import { until } from '../support/condition.ts'
import { generatePair, json, signToken } from '../support/token-issuer.ts'
import {
  keysUnavailable,
  someClaims,
  someIssuer,
  someRules,
  useVerifier,
  withoutKid,
} from '../support/token-verifier-fixture.ts'

describe("a token verifier and its issuers' keys", () => {
  const t = useVerifier()

  it('names the key that verified a token without kid, among several', async () => {
    t.server.publish([t.rsa, t.rsa2, t.ec])
    await t.start()
    assert.equal((await t.genuine(await signToken(withoutKid(t.rsa2), someClaims))).kid, 'rsa2')
    assert.equal((await t.genuine(await signToken(withoutKid(t.ec), someClaims))).kid, 'ec')
    assert.equal((await t.genuine(await signToken(t.rsa2, someClaims, { kid: '' }))).kid, 'rsa2')
  })

  it('names a key without kid by its thumbprint', async () => {
    t.server.publish([withoutKid(t.rsa), withoutKid(t.rsa2)])
    await t.start()
    const expected = await calculateJwkThumbprint(t.rsa2.jwk)
    assert.equal((await t.genuine(await signToken(withoutKid(t.rsa2), someClaims))).kid, expected)
    assert.equal(await t.verdict(await signToken(t.rsa2, someClaims, { kid: expected })), 'unknown_key')
  })

  it('tries all keys that share a kid', async () => {
    const twin = { ...t.rsa2, kid: 'rsa', jwk: { ...t.rsa2.jwk, kid: 'rsa' } }
    t.server.publish([t.rsa, twin])
    await t.start()
    for (const pair of [t.rsa, twin])
      assert.equal((await t.genuine(await signToken(pair, someClaims))).kid, 'rsa')
    const forged = await generatePair('RS256', 'rsa')
    assert.equal(await t.verdict(await signToken(forged, someClaims)), 'bad_signature')
  })

  it('notices that a key was rotated out: remembered tokens are no longer current, and verify no more', async () => {
    await t.start()
    const text = await signToken(t.rsa, someClaims)
    const [remembered, other] = [await t.genuine(text), await t.genuine(await signToken(t.ec, someClaims))]
    assert.equal(t.verifier.isCurrent(remembered), true)
    t.server.publish([t.ec, t.rsa2])
    t.timing.advance(300_000)
    await until('the refresh is over', () => !t.verifier.isCurrent(remembered))
    assert.equal(t.verifier.isCurrent(other), true)
    assert.equal(await t.verdict(text), 'unknown_key')
    assert.equal(await t.verdict(await signToken(t.rsa2, someClaims)), 'ok')
  })

  it('fetches once for an unknown kid, shared by all that wait, and then not for ten seconds', async () => {
    await t.start()
    t.server.publish([t.rsa, t.rsa2])
    const token = await signToken(t.rsa2, someClaims)
    assert.deepEqual(await Promise.all([t.verdict(token), t.verdict(token), t.verdict(token)]), [
      'ok',
      'ok',
      'ok',
    ])
    assert.equal(t.server.requests.length, 2)
    const unknown = await signToken(t.rsa, someClaims, { kid: 'unheard-of' })
    assert.equal(await t.verdict(unknown), 'unknown_key')
    assert.equal(t.server.requests.length, 2)
    t.timing.advance(10_000)
    assert.equal(await t.verdict(unknown), 'unknown_key')
    assert.equal(t.server.requests.length, 3)
  })

  it('finds a new key of an issuer that uses no kids', async () => {
    t.server.publish([withoutKid(t.rsa)])
    await t.start()
    t.server.publish([withoutKid(t.rsa), withoutKid(t.rsa2)])
    assert.equal(await t.verdict(await signToken(withoutKid(t.rsa2), someClaims)), 'ok')
  })

  it('makes no HTTP request for a known key, whatever the signature', async () => {
    await t.start()
    const token = await signToken(t.rsa, someClaims)
    assert.deepEqual(
      [await t.verdict(token), await t.verdict(`${token.slice(0, -6)}AAAAAA`)],
      ['ok', 'bad_signature'],
    )
    assert.equal(t.server.requests.length, 1)
  })

  it('decides nothing about an unknown kid while the issuer cannot be asked, but goes on with known keys', async () => {
    await t.start()
    t.server.answers.clear()
    const unknown = await signToken(t.rsa2, someClaims)
    assert.deepEqual(await t.verifier.verify(unknown, someRules), keysUnavailable)
    assert.deepEqual(await t.verifier.verify(unknown, someRules), keysUnavailable)
    assert.equal(await t.verdict(await signToken(t.rsa, someClaims)), 'ok')
    assert.equal(await t.verdict(await signToken(withoutKid(t.rsa2), someClaims)), 'bad_signature')
  })

  it('decides nothing while the keys were never loaded, and is not ready', async () => {
    t.server.answers.clear()
    t.create()
    assert.deepEqual(await t.verifier.verify(await signToken(t.rsa, someClaims), someRules), keysUnavailable)
    const { ready, reasons } = t.verifier.ready()
    assert.equal(ready, false)
    assert.match(reasons.join(), /^keys of https:\/\/op\.example were never loaded: .*answered 404$/)
    assert.equal(await t.verdict('opaque'), 'malformed')
  })

  it('waits for the first load of the keys', async () => {
    t.create()
    assert.equal(await t.verdict(await signToken(t.rsa, someClaims)), 'ok')
    assert.equal(t.server.requests.length, 1)
  })

  it('ends at its deadline while the fetch goes on, so that the next attempt finds the key', async () => {
    await t.start()
    let answerNow = () => {}
    t.server.answers.set('/jwks', (request, response) => {
      answerNow = () => json({ keys: [t.rsa.jwk, t.rsa2.jwk] })(request, response)
    })
    const token = await signToken(t.rsa2, someClaims)
    const early = t.verifier.verify(token, someRules, { deadlineMs: 230 })
    await t.server.asked(2)
    t.timing.advance(229)
    t.timing.advance(1)
    assert.deepEqual(await early, keysUnavailable)
    const next = t.verdict(token)
    answerNow()
    assert.equal(await next, 'ok')
    assert.equal(t.server.requests.length, 2)
  })

  it('decides nothing once the keys are too old, and remembered tokens are no longer current', async () => {
    await t.start({ jwksMaxAgeSeconds: 100 })
    const text = await signToken(t.rsa, someClaims)
    const remembered = await t.genuine(text)
    t.server.answers.clear()
    t.timing.advance(99_999)
    assert.equal(t.verifier.isCurrent(remembered), true)
    t.timing.advance(1)
    assert.equal(t.verifier.isCurrent(remembered), false)
    assert.deepEqual(await t.verifier.verify(text, someRules), keysUnavailable)
    assert.equal(t.verifier.ready().ready, true, 'old keys are an outage of the issuer, not of this process')
  })

  it('takes the keys of each issuer for its own tokens only', async () => {
    t.server.publish([t.rsa2], '/other')
    const other = { issuer: 'https://other.example', jwksUri: `${t.server.origin}/other`, audiences: [] }
    t.create({}, [other])
    assert.equal(await t.verdict(await signToken(t.rsa, someClaims)), 'ok')
    assert.equal(
      await t.verdict(await signToken(t.rsa2, { ...someClaims, iss: other.issuer, aud: 'any' })),
      'ok',
    )
    assert.equal(
      await t.verdict(await signToken(t.rsa, { ...someClaims, iss: other.issuer }, { kid: 'rsa2' })),
      'bad_signature',
    )
    assert.equal(await t.verdict(await signToken(t.rsa2, someClaims)), 'unknown_key')
  })

  it('is ready as soon as one issuer has keys', async () => {
    const down: IssuerSettings = {
      issuer: 'https://down.example',
      jwksUri: `${t.server.origin}/down`,
      audiences: [],
    }
    t.create({}, [down])
    await until('the other issuer failed', () => t.verifier.status().get(down.issuer)?.failureCount === 1)
    await until('the first issuer is loaded', () => t.verifier.status().get(someIssuer)?.loadedOnce)
    assert.deepEqual(t.verifier.ready(), { ready: true, reasons: [] })
    assert.deepEqual(
      await t.verifier.verify(await signToken(t.rsa, { ...someClaims, iss: down.issuer }), someRules),
      keysUnavailable,
    )
  })

  it('throws at once for an issuer named twice, and for algorithms that prove nothing', () => {
    const invalid = { code: 'ERR_CONFIG_INVALID' }
    assert.throws(() => t.create({}, [{ issuer: someIssuer, audiences: [] }]), {
      ...invalid,
      message: /is there twice/,
    })
    for (const algorithm of ['none', 'HS256', 'RS1', 'ES256K']) {
      assert.throws(() => t.create({ algorithms: ['RS256', algorithm] }), {
        ...invalid,
        message: /must be one of RS256/,
      })
    }
    assert.throws(() => t.create({}, [{ issuer: 'no-url', audiences: [] }]), { ...invalid, message: /http/ })
  })
})
