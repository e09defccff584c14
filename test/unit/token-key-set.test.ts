/** Reading key sets, and selecting the keys that may have signed a token. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { signatureAlgorithms } from '../../token/algorithms.ts'
import { candidatesLimit, holdsSameKeys, jwksKeysLimit, readKeySet, selectKeys } from '../../token/key-set.ts'
import { generatePair, type SigningPair } from '../support/token-issuer.ts'

const kidsOf = (keys: Iterable<{ readonly kid: string }>) => [...keys].map(key => key.kid)
const read = (...keys: unknown[]) => readKeySet({ keys })

function without(jwk: JWK, ...names: string[]): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name))) as JWK
}

describe('readKeySet', () => {
  let rsa: SigningPair
  let ec: SigningPair
  let ed: SigningPair
  before(async () => {
    rsa = await generatePair('RS256', 'rsa')
    ec = await generatePair('ES256', 'ec')
    ed = await generatePair('EdDSA', 'ed')
  })

  it('keeps rsaKey, EC and Ed25519 keys in the order of the document', async () => {
    const set = await read(rsa.jwk, ec.jwk, ed.jwk)
    assert.deepEqual(kidsOf(set.keys), ['rsa', 'ec', 'ed'])
    assert.deepEqual(set.skipped, {})
  })

  it('names a key without kid, or with an empty one, by its RFC 7638 thumbprint', async () => {
    // The key and thumbprint of RFC 7638 section 3.1.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    const jwk = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256' }
    for (const set of [await read(jwk), await read({ ...jwk, kid: '' })]) {
      assert.deepEqual(kidsOf(set.keys), ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'])
    }
  })

  it('gives the same thumbprint however the numbers of the key are spelled', async () => {
    const padded = Buffer.concat([Buffer.from([0]), Buffer.from(rsa.jwk.n as string, 'base64url')])
    const set = await read(without({ ...rsa.jwk, n: padded.toString('base64url') }, 'kid'))
    assert.deepEqual(kidsOf(set.keys), [await calculateJwkThumbprint(rsa.jwk)])
  })

  it('skips and counts what cannot be used', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const set = await read(
      ec.jwk,
      weak,
      { ...rsa.jwk, e: 'AQ' },
      { ...rsa.jwk, e: 'AQAAAAAAAAAB' },
      { kty: 'oct', k: 'c2VjcmV0' },
      secret,
      { ...rsa.jwk, use: 'enc' },
      { ...rsa.jwk, key_ops: ['encrypt'] },
      { ...rsa.jwk, alg: 'RSA-OAEP' },
      { ...rsa.jwk, alg: 'HS256' },
      { ...rsa.jwk, alg: 'none' },
      { ...rsa.jwk, alg: 'ES256' },
      { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' },
      { kty: 'unheard-of' },
      'not an object',
      { ...ec.jwk, x: ec.jwk.y },
      { ...ec.jwk, kid: 7 },
      { kty: 'RSA' },
    )
    assert.deepEqual(kidsOf(set.keys), ['ec'])
    assert.deepEqual(set.skipped, { weak: 2, secret: 2, not_for_signatures: 2, unsupported: 7, malformed: 4 })
  })

  it('refuses a document that is no JWKS or has too many keys', async () => {
    const refused = { code: 'ERR_REQUEST_FAILED' }
    for (const document of [null, [], {}, { keys: {} }, 'keys', 1]) {
      await assert.rejects(readKeySet(document), { ...refused, message: /it has no array "keys"/ })
    }
    const keys = Array.from({ length: jwksKeysLimit + 1 }, () => ({}))
    await assert.rejects(readKeySet({ keys }), { ...refused, message: /at most 256/ })
    assert.deepEqual((await readKeySet({ keys: keys.slice(1) })).skipped, { unsupported: jwksKeysLimit })
  })

  it('keeps the identity of keys that were there before', async () => {
    const first = await read(rsa.jwk, ec.jwk)
    const same = await readKeySet({ keys: [ec.jwk, rsa.jwk, rsa.jwk] }, first)
    const fewer = await readKeySet({ keys: [ec.jwk] }, first)
    const renamed = await readKeySet({ keys: [rsa.jwk, { ...ec.jwk, kid: 'ec2' }] }, first)
    assert.ok(holdsSameKeys(first, same))
    assert.ok([...fewer.keys].every(key => first.keys.has(key)))
    assert.ok(!holdsSameKeys(first, fewer))
    assert.ok(!holdsSameKeys(first, renamed))
  })

  it('never fails on a list of anything', async () => {
    const member = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 'AQAB', 'P-256', 'Ed25519', 'RS256', 'sig'),
    )
    const name = fc.constantFrom(
      'kty',
      'kid',
      'use',
      'key_ops',
      'alg',
      'n',
      'e',
      'crv',
      'x',
      'y',
      'd',
      '__proto__',
    )
    const jwks = fc.array(fc.oneof(fc.jsonValue(), fc.dictionary(name, member)), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(jwks, async keys => {
        const set = await readKeySet({ keys })
        const skippedCount = Object.values(set.skipped).reduce((sum, count) => sum + count, 0)
        assert.ok(set.keys.size + skippedCount <= keys.length)
      }),
      { numRuns: 300 },
    )
  })
})

describe('selectKeys', () => {
  let jwks: JWK[]
  before(async () => {
    const pairs = await Promise.all(
      ['RS256', 'RS256', 'ES256', 'ES384', 'EdDSA'].map(alg => generatePair(alg)),
    )
    jwks = pairs.map(pair => without(pair.jwk, 'alg', 'kid'))
  })

  it('selects exactly the keys of the given kid, and all of them when two share it', async () => {
    const [one, two, three] = jwks
    const set = await read({ ...one, kid: 'a' }, { ...two, kid: 'a' }, { ...three, kid: 'b' }, jwks[3])
    assert.deepEqual(kidsOf(selectKeys(set, 'RS256', 'a')), ['a', 'a'])
    assert.deepEqual(selectKeys(set, 'RS256', 'A'), [])
    assert.deepEqual(selectKeys(set, 'RS256', 'b'), [])
    const thumbprint = [...set.keys][3]?.thumbprint as string
    assert.deepEqual(selectKeys(set, 'ES384', thumbprint), [], 'a thumbprint is no kid of the document')
  })

  it('tries at most 16 keys for a token without kid', async () => {
    const keys = Array.from({ length: 20 }, (_, at) => ({ ...jwks[0], kid: `k${at}` }))
    const selected = selectKeys(await readKeySet({ keys }), 'PS512', undefined)
    assert.deepEqual(
      kidsOf(selected),
      keys.slice(0, candidatesLimit).map(key => key.kid),
    )
  })

  it('selects what a plain reading of the rules selects', async () => {
    const kinds = ['RSA', 'RSA', 'P-256', 'P-384', 'Ed25519']
    const wanted: Record<string, string> = {
      RS: 'RSA',
      PS: 'RSA',
      ES256: 'P-256',
      ES384: 'P-384',
      ES512: 'P-521',
      Ed: 'Ed25519',
    }
    const kindFor = (alg: string) => wanted[alg] ?? wanted[alg.slice(0, 2)]
    const kid = fc.constantFrom(undefined, 'a', 'b')
    const alg = fc.constantFrom(...signatureAlgorithms)
    const entry = fc.record({ at: fc.nat(4), kid, alg: fc.option(alg, { nil: undefined }) })
    const list = fc.uniqueArray(entry, { maxLength: 8, selector: JSON.stringify })
    await fc.assert(
      fc.asyncProperty(list, alg, kid, async (entries, headerAlg, headerKid) => {
        const set = await readKeySet({
          keys: entries.map(({ at, ...bound }) => ({ ...jwks[at], ...withoutUndefined(bound) })),
        })
        const expected = entries.filter(
          ({ at, ...bound }) =>
            kindFor(bound.alg ?? headerAlg) === kinds[at] &&
            (bound.alg ?? headerAlg) === headerAlg &&
            (headerKid === undefined || bound.kid === headerKid),
        )
        assert.equal(selectKeys(set, headerAlg, headerKid).length, expected.length)
      }),
      { numRuns: 200 },
    )
  })
})

function withoutUndefined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
