/** Signatures are judged as jose judges them, by keys of every algorithm, also those that are damaged or made up. */
import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compactVerify, errors, exportPKCS8, importJWK, type JWK } from 'jose'
import { signatureAlgorithms } from '../../token/algorithms.ts'
import { parseJwt } from '../../token/jwt.ts'
import { readKeySet, type VerificationKey } from '../../token/key-set.ts'
import { generatePair, signToken } from '../support/token-issuer.ts'

const ofJose = async (token: string, jwk: JWK, algorithm: string): Promise<boolean> => {
  try {
    await compactVerify(token, await importJWK(jwk, algorithm), { algorithms: [algorithm] })
    return true
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}

const ofOurs = (token: string, key: VerificationKey, algorithm: string): boolean => {
  const jwt = parseJwt(token)
  assert.ok(jwt)
  return key.verifies(algorithm, Buffer.from(jwt.signingInput), jwt.signatureOctets)
}

const keyOf = async (jwk: JWK): Promise<VerificationKey> => {
  const [key] = (await readKeySet({ keys: [jwk] })).keys
  assert.ok(key)
  return key
}

for (const algorithm of signatureAlgorithms) {
  describe(algorithm, () => {
    test('takes what was signed, and nothing that was changed, as jose does', async () => {
      const pair = await generatePair(algorithm)
      const key = await keyOf(pair.jwk)
      const token = await signToken(pair, { sub: 'somebody' })
      assert.equal(ofOurs(token, key, algorithm), true)
      assert.equal(await ofJose(token, pair.jwk, algorithm), true)

      const [header, payload, signature = ''] = token.split('.')
      const genuine = Buffer.from(signature, 'base64url')
      const with_ = (bytes: Uint8Array) => `${header}.${payload}.${Buffer.from(bytes).toString('base64url')}`
      const half = genuine.length / 2
      const swapped = Buffer.concat([genuine.subarray(half), genuine.subarray(0, half)])
      const damaged = [
        Buffer.alloc(0),
        Buffer.alloc(genuine.length),
        Buffer.alloc(genuine.length, 0xff),
        genuine.subarray(1),
        genuine.subarray(0, -1),
        Buffer.concat([genuine, Buffer.of(0)]),
        Buffer.concat([Buffer.of(0), genuine]),
        Buffer.concat([genuine, genuine]),
        swapped,
      ]
      for (const bytes of damaged) {
        assert.equal(await ofJose(with_(bytes), pair.jwk, algorithm), false, bytes.toString('hex'))
        assert.equal(ofOurs(with_(bytes), key, algorithm), false, bytes.toString('hex'))
      }
      await fc.assert(
        fc.asyncProperty(fc.nat(genuine.length * 8 - 1), async bit => {
          const changed = Buffer.from(genuine)
          changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
          assert.equal(
            ofOurs(with_(changed), key, algorithm),
            await ofJose(with_(changed), pair.jwk, algorithm),
          )
          assert.equal(ofOurs(with_(changed), key, algorithm), false)
        }),
        { numRuns: 50 },
      )
    })

    test('takes no signature of another key of its kind, and never throws whatever comes', async () => {
      const [pair, other] = [await generatePair(algorithm), await generatePair(algorithm)]
      const key = await keyOf(pair.jwk)
      assert.equal(ofOurs(await signToken(other, { sub: 'somebody' }), key, algorithm), false)
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 600 }),
          fc.uint8Array({ maxLength: 600 }),
          (signed, signature) => {
            assert.equal(key.verifies(algorithm, signed, signature), false)
          },
        ),
        { numRuns: 100 },
      )
    })
  })
}

test('an ECDSA signature in DER is none (RFC 7518 section 3.4)', async () => {
  const pair = await generatePair('ES256')
  const signed = Buffer.from(`${(await signToken(pair, {})).split('.').slice(0, 2).join('.')}`)
  const der = sign('sha256', signed, createPrivateKey(await exportPKCS8(pair.privateKey)))
  assert.equal((await keyOf(pair.jwk)).verifies('ES256', signed, der), false)
})

test('a PSS signature needs the salt that is as long as the hash (RFC 7518 section 3.5)', async () => {
  const pair = await generatePair('PS256')
  const key = createPrivateKey(await exportPKCS8(pair.privateKey))
  const signed = Buffer.from('anything')
  const saltedBy = (saltLength: number) => sign('sha256', signed, { key, padding: 6, saltLength })
  const verification = await keyOf(pair.jwk)
  assert.deepEqual(
    [20, 32, 64].map(length => verification.verifies('PS256', signed, saltedBy(length))),
    [false, true, false],
  )
})
