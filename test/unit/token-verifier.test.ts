/** Deciding whether tokens are genuine: real signatures, a real JWKS server, clocks by hand. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { afterEach, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { calculateJwkThumbprint, exportSPKI } from 'jose'
import { jwtFingerprint } from '../../token/fingerprint.ts'
import {
  createTokenVerifier,
  type IssuerSettings,
  type TokenVerifier,
  type Verification,
} from '../../token/verifier.ts'
import { until } from '../support/condition.ts'
import {
  createKeptLog,
  createManualTiming,
  flipPadBits,
  generatePair,
  json,
  type KeyServer,
  type ManualTiming,
  rawToken,
  type SigningPair,
  signToken,
  startKeyServer,
} from '../support/token-issuer.ts'

const ISSUER = 'https://op.example'
const NOW = 1_700_000_000
const RULES = { clockToleranceSeconds: 30, maxTokenLifetimeSeconds: 2_592_000 }
const CLAIMS = { iss: ISSUER, aud: 'api', sub: 'user', jti: 'token-1', iat: NOW - 5, exp: NOW + 300 }
const UNAVAILABLE = { ok: false, unavailable: true, reason: 'keys_unavailable' }

const withoutKid = (pair: SigningPair) => {
  const { kid: _, ...jwk } = pair.jwk
  return { ...pair, jwk, kid: undefined }
}

describe('a token verifier', () => {
  let server: KeyServer
  let timing: ManualTiming
  let verifier: TokenVerifier
  let log = createKeptLog()
  let nowMs = NOW * 1000
  let rsa: SigningPair
  let rsa2: SigningPair
  let ec: SigningPair
  let ed: SigningPair

  before(async () => {
    const pairs = [generatePair('RS256', 'rsa'), generatePair('RS256', 'rsa2'), generatePair('ES256', 'ec')]
    ;[rsa, rsa2, ec] = (await Promise.all(pairs)) as [SigningPair, SigningPair, SigningPair]
    ed = await generatePair('EdDSA', 'ed')
  })
  beforeEach(async () => {
    server = await startKeyServer()
    timing = createManualTiming()
    log = createKeptLog()
    nowMs = NOW * 1000
    server.publish([rsa, ec])
  })
  afterEach(async () => {
    verifier.close()
    await server.close()
  })

  function create(settings: Partial<IssuerSettings> = {}, more: IssuerSettings[] = []) {
    const issuer = { issuer: ISSUER, jwksUri: `${server.origin}/jwks`, audiences: ['api'], ...settings }
    verifier = createTokenVerifier({
      issuers: [issuer, ...more],
      logger: log,
      timing,
      now: () => nowMs,
      random: () => 0.5,
    })
  }
  async function start(settings: Partial<IssuerSettings> = {}) {
    create(settings)
    await until('the keys are loaded', () => verifier.ready().ready)
  }
  const reasonOf = (answer: Verification) => (answer.ok ? 'ok' : answer.reason)
  const verdict = async (token: string, rules: object = {}) =>
    reasonOf(await verifier.verify(token, { ...RULES, ...rules }))
  const genuine = async (token: string) => {
    const answer = await verifier.authenticate(token)
    assert.ok(answer.ok, `rejected: ${reasonOf(answer)}`)
    return answer.token
  }

  it('accepts a genuine token and says what it is', async () => {
    await start()
    const text = await signToken(rsa, { ...CLAIMS, iat: NOW - 4.2, exp: NOW + 300.5, aud: ['x', 'api'] })
    const answer = await verifier.verify(text, RULES)
    assert.ok(answer.ok)
    const { issuer, kid, expSeconds, iatSeconds, audiences, payload, header } = answer.token
    assert.deepEqual(
      { issuer, kid, expSeconds, iatSeconds, audiences },
      {
        issuer: ISSUER,
        kid: 'rsa',
        expSeconds: NOW + 300.5,
        iatSeconds: NOW - 5,
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
    server.publish(pairs)
    await start()
    for (const pair of pairs) assert.equal((await genuine(await signToken(pair, CLAIMS))).kid, pair.alg)
  })

  it('rejects what is not a JWT, another issuer, and an issuer that differs by a character', async () => {
    await start()
    assert.equal(await verdict('opaque'), 'malformed')
    assert.equal(await verdict(await signToken(rsa, CLAIMS, { crit: ['b64'], b64: true })), 'malformed')
    for (const iss of [
      'https://evil.example',
      `${ISSUER}/`,
      'HTTPS://op.example',
      undefined,
      7,
      [ISSUER],
      '__proto__',
    ]) {
      assert.equal(await verdict(await signToken(rsa, { ...CLAIMS, iss })), 'unknown_issuer')
    }
  })

  it('rejects alg none in every spelling', async () => {
    await start()
    for (const alg of ['none', 'None', 'NONE', '']) {
      assert.equal(await verdict(rawToken({ alg, kid: 'rsa' }, CLAIMS)), 'algorithm_not_allowed')
    }
  })

  it('rejects HS256 made with the RSA public key, as PEM or as JWK', async () => {
    await start()
    const secrets = [
      await exportSPKI(rsa.publicKey),
      (await exportSPKI(rsa.publicKey)).trim(),
      JSON.stringify(rsa.jwk),
    ]
    for (const secret of secrets) {
      const unsigned = rawToken({ alg: 'HS256', kid: 'rsa' }, CLAIMS).slice(0, -1)
      const signature = createHmac('sha256', secret).update(unsigned).digest('base64url')
      assert.equal(await verdict(`${unsigned}.${signature}`), 'algorithm_not_allowed')
    }
  })

  it('rejects an algorithm that the issuer does not list', async () => {
    await start({ algorithms: ['RS256'] })
    assert.equal(await verdict(await signToken(rsa, CLAIMS)), 'ok')
    assert.equal(await verdict(await signToken(ec, CLAIMS)), 'algorithm_not_allowed')
  })

  it('rejects a token whose alg is not that of the key its kid names', async () => {
    await start()
    assert.equal(await verdict(await signToken(ec, CLAIMS, { kid: 'rsa' })), 'unknown_key')
    const pss = await generatePair('PS256', 'rsa')
    assert.equal(await verdict(await signToken(pss, CLAIMS)), 'unknown_key')
  })

  it('rejects a key that comes with the token', async () => {
    await start()
    const header = { jwk: rsa2.jwk, jku: `${server.origin}/evil`, x5u: `${server.origin}/evil`, kid: 'rsa' }
    assert.equal(await verdict(await signToken(rsa2, CLAIMS, header)), 'bad_signature')
    assert.equal(await verdict(await signToken(withoutKid(rsa2), CLAIMS, { jwk: rsa2.jwk })), 'bad_signature')
    assert.ok(!server.requests.includes('/evil'))
  })

  it('rejects a changed payload, header or signature, and a signature that is missing', async () => {
    await start()
    for (const pair of [rsa, ec]) {
      const [header, payload, signature] = (await signToken(pair, CLAIMS)).split('.') as [
        string,
        string,
        string,
      ]
      const other = (await signToken(pair, { ...CLAIMS, sub: 'admin' })).split('.')
      const tampered = [
        `${header}.${other[1]}.${signature}`,
        `${header}.${payload}.${other[2]}`,
        `${header}.${payload}.${signature.slice(4)}`,
        `${header}.${payload}.`,
        `${rawToken({ alg: pair.alg, kid: pair.kid, typ: 'x' }, {}).split('.')[0]}.${payload}.${signature}`,
        `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      ]
      for (const token of tampered) assert.equal(await verdict(token), 'bad_signature')
    }
  })

  it('gives one decision and one fingerprint to a token whose signature differs only in pad bits', async () => {
    await start()
    const text = await signToken(ec, CLAIMS)
    const flipped = flipPadBits(text)
    const [one, other] = [await genuine(text), await genuine(flipped)]
    assert.notEqual(text, flipped)
    assert.equal(one.fingerprint(), other.fingerprint())
    assert.equal(one.signature(), other.signature())
    assert.equal(one.signature(), text.slice(text.lastIndexOf('.') + 1))
    const [header, payload] = text.split('.').map(segment => Buffer.from(segment, 'base64url')) as [
      Buffer,
      Buffer,
    ]
    assert.equal(one.fingerprint(), jwtFingerprint(header, payload))
  })

  it('gives one fingerprint to the two signatures that ECDSA allows for one token', async () => {
    await start()
    const text = await signToken(ec, CLAIMS)
    const end = text.lastIndexOf('.') + 1
    const octets = Buffer.from(text.slice(end), 'base64url')
    const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
    const mirrored = order - BigInt(`0x${octets.subarray(32).toString('hex')}`)
    const signature = Buffer.concat([
      octets.subarray(0, 32),
      Buffer.from(mirrored.toString(16).padStart(64, '0'), 'hex'),
    ])
    const twin = text.slice(0, end) + signature.toString('base64url')
    assert.notEqual(twin, text)
    assert.equal((await genuine(twin)).fingerprint(), (await genuine(text)).fingerprint())
  })

  it('names the key that verified a token without kid, among several', async () => {
    server.publish([rsa, rsa2, ec])
    await start()
    assert.equal((await genuine(await signToken(withoutKid(rsa2), CLAIMS))).kid, 'rsa2')
    assert.equal((await genuine(await signToken(withoutKid(ec), CLAIMS))).kid, 'ec')
    assert.equal((await genuine(await signToken(rsa2, CLAIMS, { kid: '' }))).kid, 'rsa2')
  })

  it('names a key without kid by its thumbprint', async () => {
    server.publish([withoutKid(rsa), withoutKid(rsa2)])
    await start()
    const expected = await calculateJwkThumbprint(rsa2.jwk)
    assert.equal((await genuine(await signToken(withoutKid(rsa2), CLAIMS))).kid, expected)
    assert.equal(await verdict(await signToken(rsa2, CLAIMS, { kid: expected })), 'unknown_key')
  })

  it('tries all keys that share a kid', async () => {
    const twin = { ...rsa2, kid: 'rsa', jwk: { ...rsa2.jwk, kid: 'rsa' } }
    server.publish([rsa, twin])
    await start()
    for (const pair of [rsa, twin]) assert.equal((await genuine(await signToken(pair, CLAIMS))).kid, 'rsa')
    const forged = await generatePair('RS256', 'rsa')
    assert.equal(await verdict(await signToken(forged, CLAIMS)), 'bad_signature')
  })

  it('judges the claims of a genuine token, and only of a genuine one', async () => {
    await start()
    const cases: [object, string][] = [
      [{ exp: NOW - 30 }, 'expired'],
      [{ exp: undefined }, 'missing_exp'],
      [{ exp: 99_999_999_999_999 }, 'lifetime_too_long'],
      [{ iat: undefined }, 'missing_iat'],
      [{ iat: NOW + 31 }, 'issued_in_future'],
      [{ nbf: NOW + 31 }, 'not_yet_valid'],
      [{ aud: 'other' }, 'wrong_audience'],
      [{ aud: undefined }, 'wrong_audience'],
    ]
    for (const [changes, reason] of cases) {
      const token = await signToken(rsa, { ...CLAIMS, ...changes })
      assert.equal(await verdict(token), reason)
      assert.equal(await verdict(token.slice(0, -8)), 'bad_signature')
    }
  })

  it('accepts for a revoker what is not valid yet, for another audience, or expired a short time ago', async () => {
    await start()
    const revoker = {
      ignoreNotBefore: true,
      ignoreAudience: true,
      expiredGraceSeconds: 300,
      futureGraceSeconds: 300,
    }
    for (const changes of [{ nbf: NOW + 100 }, { aud: 'other' }, { exp: NOW - 329 }, { iat: NOW + 330 }]) {
      const token = await signToken(rsa, { ...CLAIMS, ...changes })
      assert.equal(await verdict(token, revoker), 'ok')
      assert.notEqual(await verdict(token), 'ok')
    }
    assert.equal(await verdict(await signToken(rsa, { ...CLAIMS, exp: NOW - 330 }), revoker), 'expired')
  })

  it('lets a verified token be checked again by the clock alone', async () => {
    await start()
    const token = await genuine(await signToken(rsa, CLAIMS))
    assert.equal(verifier.check(token, RULES), undefined)
    nowMs = (CLAIMS.exp + 30) * 1000 - 1
    assert.equal(verifier.check(token, RULES), undefined)
    nowMs += 1
    assert.equal(verifier.check(token, RULES), 'expired')
    assert.equal(verifier.check(token, { ...RULES, expiredGraceSeconds: 1 }), undefined)
  })

  it('notices that a key was rotated out: remembered tokens are no longer current, and verify no more', async () => {
    await start()
    const text = await signToken(rsa, CLAIMS)
    const [remembered, other] = [await genuine(text), await genuine(await signToken(ec, CLAIMS))]
    assert.equal(verifier.isCurrent(remembered), true)
    server.publish([ec, rsa2])
    timing.advance(300_000)
    await until('the refresh is over', () => !verifier.isCurrent(remembered))
    assert.equal(verifier.isCurrent(other), true)
    assert.equal(await verdict(text), 'unknown_key')
    assert.equal(await verdict(await signToken(rsa2, CLAIMS)), 'ok')
  })

  it('fetches once for an unknown kid, shared by all that wait, and then not for ten seconds', async () => {
    await start()
    server.publish([rsa, rsa2])
    const token = await signToken(rsa2, CLAIMS)
    assert.deepEqual(await Promise.all([verdict(token), verdict(token), verdict(token)]), ['ok', 'ok', 'ok'])
    assert.equal(server.requests.length, 2)
    const unknown = await signToken(rsa, CLAIMS, { kid: 'unheard-of' })
    assert.equal(await verdict(unknown), 'unknown_key')
    assert.equal(server.requests.length, 2)
    timing.advance(10_000)
    assert.equal(await verdict(unknown), 'unknown_key')
    assert.equal(server.requests.length, 3)
  })

  it('finds a new key of an issuer that uses no kids', async () => {
    server.publish([withoutKid(rsa)])
    await start()
    server.publish([withoutKid(rsa), withoutKid(rsa2)])
    assert.equal(await verdict(await signToken(withoutKid(rsa2), CLAIMS)), 'ok')
  })

  it('makes no HTTP request for a known key, whatever the signature', async () => {
    await start()
    const token = await signToken(rsa, CLAIMS)
    assert.deepEqual(
      [await verdict(token), await verdict(`${token.slice(0, -6)}AAAAAA`)],
      ['ok', 'bad_signature'],
    )
    assert.equal(server.requests.length, 1)
  })

  it('decides nothing about an unknown kid while the issuer cannot be asked, but goes on with known keys', async () => {
    await start()
    server.answers.clear()
    const unknown = await signToken(rsa2, CLAIMS)
    assert.deepEqual(await verifier.verify(unknown, RULES), UNAVAILABLE)
    assert.deepEqual(await verifier.verify(unknown, RULES), UNAVAILABLE)
    assert.equal(await verdict(await signToken(rsa, CLAIMS)), 'ok')
    assert.equal(await verdict(await signToken(withoutKid(rsa2), CLAIMS)), 'bad_signature')
  })

  it('decides nothing while the keys were never loaded, and is not ready', async () => {
    server.answers.clear()
    create()
    assert.deepEqual(await verifier.verify(await signToken(rsa, CLAIMS), RULES), UNAVAILABLE)
    const { ready, reasons } = verifier.ready()
    assert.equal(ready, false)
    assert.match(reasons.join(), /^keys of https:\/\/op\.example were never loaded: .*answered 404$/)
    assert.equal(await verdict('opaque'), 'malformed')
  })

  it('waits for the first load of the keys', async () => {
    create()
    assert.equal(await verdict(await signToken(rsa, CLAIMS)), 'ok')
    assert.equal(server.requests.length, 1)
  })

  it('ends at its deadline while the fetch goes on, so that the next attempt finds the key', async () => {
    await start()
    let answerNow = () => {}
    server.answers.set('/jwks', (request, response) => {
      answerNow = () => json({ keys: [rsa.jwk, rsa2.jwk] })(request, response)
    })
    const token = await signToken(rsa2, CLAIMS)
    const early = verifier.verify(token, RULES, { deadlineMs: 230 })
    await server.asked(2)
    timing.advance(229)
    timing.advance(1)
    assert.deepEqual(await early, UNAVAILABLE)
    const next = verdict(token)
    answerNow()
    assert.equal(await next, 'ok')
    assert.equal(server.requests.length, 2)
  })

  it('decides nothing once the keys are too old, and remembered tokens are no longer current', async () => {
    await start({ jwksMaxAgeSeconds: 100 })
    const text = await signToken(rsa, CLAIMS)
    const remembered = await genuine(text)
    server.answers.clear()
    timing.advance(99_999)
    assert.equal(verifier.isCurrent(remembered), true)
    timing.advance(1)
    assert.equal(verifier.isCurrent(remembered), false)
    assert.deepEqual(await verifier.verify(text, RULES), UNAVAILABLE)
    assert.equal(verifier.ready().ready, true, 'old keys are an outage of the issuer, not of this process')
  })

  it('takes the keys of each issuer for its own tokens only', async () => {
    server.publish([rsa2], '/other')
    const other = { issuer: 'https://other.example', jwksUri: `${server.origin}/other`, audiences: [] }
    create({}, [other])
    assert.equal(await verdict(await signToken(rsa, CLAIMS)), 'ok')
    assert.equal(await verdict(await signToken(rsa2, { ...CLAIMS, iss: other.issuer, aud: 'any' })), 'ok')
    assert.equal(
      await verdict(await signToken(rsa, { ...CLAIMS, iss: other.issuer }, { kid: 'rsa2' })),
      'bad_signature',
    )
    assert.equal(await verdict(await signToken(rsa2, CLAIMS)), 'unknown_key')
  })

  it('is ready as soon as one issuer has keys', async () => {
    const down: IssuerSettings = {
      issuer: 'https://down.example',
      jwksUri: `${server.origin}/down`,
      audiences: [],
    }
    create({}, [down])
    await until('the other issuer failed', () => verifier.status().get(down.issuer)?.failureCount === 1)
    await until('the first issuer is loaded', () => verifier.status().get(ISSUER)?.loadedOnce)
    assert.deepEqual(verifier.ready(), { ready: true, reasons: [] })
    assert.deepEqual(
      await verifier.verify(await signToken(rsa, { ...CLAIMS, iss: down.issuer }), RULES),
      UNAVAILABLE,
    )
  })

  it('throws at once for an issuer named twice, and for algorithms that prove nothing', () => {
    const invalid = { code: 'ERR_CONFIG_INVALID' }
    assert.throws(() => create({}, [{ issuer: ISSUER, audiences: [] }]), {
      ...invalid,
      message: /is there twice/,
    })
    for (const algorithm of ['none', 'HS256', 'RS1', 'ES256K']) {
      assert.throws(() => create({ algorithms: ['RS256', algorithm] }), {
        ...invalid,
        message: /must be one of RS256/,
      })
    }
    assert.throws(() => create({}, [{ issuer: 'no-url', audiences: [] }]), { ...invalid, message: /http/ })
  })

  it('never accepts and never throws on a genuine token with something changed', async () => {
    server.publish([rsa, ec, ed])
    await start()
    const tokens = await Promise.all([rsa, ec, ed].map(pair => signToken(pair, CLAIMS)))
    const change = fc.record({
      at: fc.nat(2_000),
      piece: fc.constantFrom('', 'A', 'AA', '.', '-', '=', 'é', 'e30', '..'),
    })
    const edit = fc.tuple(fc.constantFrom(...tokens), fc.array(change, { minLength: 1, maxLength: 3 }))
    await fc.assert(
      fc.asyncProperty(edit, async ([original, changes]) => {
        const token = changes.reduce((text, { at, piece }) => {
          const start = at % text.length
          return text.slice(0, start) + piece + text.slice(start + 1)
        }, original)
        const answer = await verifier.verify(token, RULES)
        if (!answer.ok) return assert.notEqual(token, original)
        const canonical = (text: string) =>
          text.split('.').map(part => Buffer.from(part, 'base64url').toString('hex'))
        assert.deepEqual(
          canonical(token),
          canonical(original),
          'only what decodes to the same octets is accepted',
        )
      }),
      { numRuns: 500 },
    )
  })

  it('writes no token and no claim to the log', async () => {
    await start()
    const token = await signToken(rsa2, { ...CLAIMS, sub: 'somebody-private' })
    server.answers.clear()
    await verdict(token)
    assert.ok(log.lines.length >= 2)
    const text = JSON.stringify(log.lines)
    assert.ok(!text.includes(token.slice(0, 40)) && !text.includes('somebody-private'))
  })
})
