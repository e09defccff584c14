/** Attacks on token verification: none of them may be accepted, nor evade a revocation. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { exportSPKI } from 'jose'
import { jwtFingerprint } from '../../revocation/token-fingerprint.ts'
import { flipPadBits, generatePair, rawToken, signToken } from '../support/token-issuer.ts'
import {
  someClaims,
  someIssuer,
  someRules,
  useVerifier,
  withoutKid,
} from '../support/token-verifier-fixture.ts'

describe('a token verifier under attack', () => {
  const t = useVerifier()

  it('rejects what is not a JWT, another issuer, and an issuer that differs by a character', async () => {
    await t.start()
    assert.equal(await t.verdict('opaque'), 'malformed')
    assert.equal(
      await t.verdict(await signToken(t.rsa, someClaims, { crit: ['b64'], b64: true })),
      'malformed',
    )
    for (const iss of [
      'https://evil.example',
      `${someIssuer}/`,
      'HTTPS://op.example',
      undefined,
      7,
      [someIssuer],
      '__proto__',
    ]) {
      assert.equal(await t.verdict(await signToken(t.rsa, { ...someClaims, iss })), 'unknown_issuer')
    }
  })

  it('rejects alg none in every spelling', async () => {
    await t.start()
    for (const alg of ['none', 'None', 'NONE', '']) {
      assert.equal(await t.verdict(rawToken({ alg, kid: 'rsa' }, someClaims)), 'algorithm_not_allowed')
    }
  })

  it('rejects HS256 made with the rsaKey public key, as PEM or as JWK', async () => {
    await t.start()
    const secrets = [
      await exportSPKI(t.rsa.publicKey),
      (await exportSPKI(t.rsa.publicKey)).trim(),
      JSON.stringify(t.rsa.jwk),
    ]
    for (const secret of secrets) {
      const unsigned = rawToken({ alg: 'HS256', kid: 'rsa' }, someClaims).slice(0, -1)
      const signature = createHmac('sha256', secret).update(unsigned).digest('base64url')
      assert.equal(await t.verdict(`${unsigned}.${signature}`), 'algorithm_not_allowed')
    }
  })

  it('rejects an algorithm that the issuer does not list', async () => {
    await t.start({ algorithms: ['RS256'] })
    assert.equal(await t.verdict(await signToken(t.rsa, someClaims)), 'ok')
    assert.equal(await t.verdict(await signToken(t.ec, someClaims)), 'algorithm_not_allowed')
  })

  it('rejects a token whose alg is not that of the key its kid names', async () => {
    await t.start()
    assert.equal(await t.verdict(await signToken(t.ec, someClaims, { kid: 'rsa' })), 'unknown_key')
    const pss = await generatePair('PS256', 'rsa')
    assert.equal(await t.verdict(await signToken(pss, someClaims)), 'unknown_key')
  })

  it('rejects a key that comes with the token', async () => {
    await t.start()
    const header = {
      jwk: t.rsa2.jwk,
      jku: `${t.server.origin}/evil`,
      x5u: `${t.server.origin}/evil`,
      kid: 'rsa',
    }
    assert.equal(await t.verdict(await signToken(t.rsa2, someClaims, header)), 'bad_signature')
    assert.equal(
      await t.verdict(await signToken(withoutKid(t.rsa2), someClaims, { jwk: t.rsa2.jwk })),
      'bad_signature',
    )
    assert.ok(!t.server.requests.includes('/evil'))
  })

  it('rejects a changed payload, header or signature, and a signature that is missing', async () => {
    await t.start()
    for (const pair of [t.rsa, t.ec]) {
      const [header, payload, signature] = (await signToken(pair, someClaims)).split('.') as [
        string,
        string,
        string,
      ]
      const other = (await signToken(pair, { ...someClaims, sub: 'admin' })).split('.')
      const tampered = [
        `${header}.${other[1]}.${signature}`,
        `${header}.${payload}.${other[2]}`,
        `${header}.${payload}.${signature.slice(4)}`,
        `${header}.${payload}.`,
        `${rawToken({ alg: pair.alg, kid: pair.kid, typ: 'x' }, {}).split('.')[0]}.${payload}.${signature}`,
        `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      ]
      for (const token of tampered) assert.equal(await t.verdict(token), 'bad_signature')
    }
  })

  it('gives one decision and one fingerprint to a token whose signature differs only in pad bits', async () => {
    await t.start()
    const text = await signToken(t.ec, someClaims)
    const flipped = flipPadBits(text)
    const [one, other] = [await t.genuine(text), await t.genuine(flipped)]
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
    await t.start()
    const text = await signToken(t.ec, someClaims)
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
    assert.equal((await t.genuine(twin)).fingerprint(), (await t.genuine(text)).fingerprint())
  })

  it('never accepts and never throws on a genuine token with something changed', async () => {
    t.server.publish([t.rsa, t.ec, t.ed])
    await t.start()
    const tokens = await Promise.all([t.rsa, t.ec, t.ed].map(pair => signToken(pair, someClaims)))
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
        const answer = await t.verifier.verify(token, someRules)
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
})
