/** Signatures are judged as jose judges them, by keys of every algorithm, also those that are damaged or made up. */
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type CryptoKey, compactVerify, errors, exportPKCS8, importJWK, importPKCS8, type JWK } from 'jose'
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

const ofOurs = async (token: string, key: VerificationKey, algorithm: string): Promise<boolean> => {
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
      assert.equal(await ofOurs(token, key, algorithm), true)
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
        assert.equal(await ofOurs(with_(bytes), key, algorithm), false, bytes.toString('hex'))
      }
      await fc.assert(
        fc.asyncProperty(fc.nat(genuine.length * 8 - 1), async bit => {
          const changed = Buffer.from(genuine)
          changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
          assert.equal(
            await ofOurs(with_(changed), key, algorithm),
            await ofJose(with_(changed), pair.jwk, algorithm),
          )
          assert.equal(await ofOurs(with_(changed), key, algorithm), false)
        }),
        { numRuns: 50 },
      )
    })

    test('takes no signature of another key of its kind, and never throws whatever comes', async () => {
      const [pair, other] = [await generatePair(algorithm), await generatePair(algorithm)]
      const key = await keyOf(pair.jwk)
      assert.equal(await ofOurs(await signToken(other, { sub: 'somebody' }), key, algorithm), false)
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 600 }),
          fc.uint8Array({ maxLength: 600 }),
          async (signed, signature) => {
            assert.equal(await key.verifies(algorithm, signed, signature), false)
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
  assert.equal(await (await keyOf(pair.jwk)).verifies('ES256', signed, der), false)
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

test('an RSA signature is as long as the modulus (RFC 8017 section 8.1.2)', async () => {
  const pair = await generatePair('PS256')
  const key = createPrivateKey(await exportPKCS8(pair.privateKey))
  const signedBy = (text: string) => sign('sha256', Buffer.from(text), { key, padding: 6, saltLength: 32 })
  let [text, signature] = ['', Buffer.alloc(0)]
  for (let number = 0; signature[0] !== 0; number++) {
    text = `message ${number}`
    signature = signedBy(text)
  }
  const verification = await keyOf(pair.jwk)
  assert.equal(await verification.verifies('PS256', Buffer.from(text), signature), true)
  assert.equal(await verification.verifies('PS256', Buffer.from(text), signature.subarray(1)), false)
})

test('a key that is bound to no algorithm verifies each that it fits, and takes none for another', async () => {
  const pair = await generatePair('RS256')
  const { alg: _, ...jwk } = pair.jwk
  const key = await keyOf(jwk)
  const pkcs8 = await exportPKCS8(pair.privateKey)
  const rsaAlgorithms = signatureAlgorithms.filter(name => /^[RP]S/.test(name))
  for (const signedBy of rsaAlgorithms) {
    const privateKey = (await importPKCS8(pkcs8, signedBy)) as CryptoKey
    const token = await signToken({ ...pair, alg: signedBy, privateKey }, {})
    const takenAs: string[] = []
    for (const name of rsaAlgorithms) if (await ofOurs(token, key, name)) takenAs.push(name)
    assert.deepEqual(takenAs, [signedBy])
  }
})

test('what takes long is verified by another thread, so that other requests have their turn', async () => {
  const nothing = new Uint8Array()
  for (const algorithm of signatureAlgorithms) {
    const verdict = (await keyOf((await generatePair(algorithm)).jwk)).verifies(algorithm, nothing, nothing)
    assert.equal(verdict instanceof Promise, ['ES384', 'ES512'].includes(algorithm), algorithm)
    assert.equal(await verdict, false)
  }
  const enough = new Uint8Array(4_608 / 8)
  const large = generateKeyPairSync('rsa', { modulusLength: 4_608 }).publicKey.export({ format: 'jwk' })
  assert.ok((await keyOf(large as JWK)).verifies('RS256', nothing, enough) instanceof Promise)
})
