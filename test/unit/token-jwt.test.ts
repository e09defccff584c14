/** Reading JWTs: what is refused, what is tolerated, and that nothing makes the parser throw. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ownMember } from '../../revocation/json-object.ts'
import { parseJwt } from '../../token/jwt.ts'
import { flipPadBits, rawToken } from '../support/token-issuer.ts'

const someHeader = { alg: 'RS256', kid: 'k1', typ: 'at+jwt' }
const someSignature = Buffer.from('signature')

function nested(depth: number): string {
  return `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
}

describe('parseJwt', () => {
  it('returns header, payload, their octets, the signing input and the signature', () => {
    const payload = '{ "iss": "https://op.example" }'
    const token = rawToken(someHeader, payload, someSignature)
    const jwt = parseJwt(token)
    assert.ok(jwt)
    assert.deepEqual([jwt.alg, jwt.kid, jwt.typ], ['RS256', 'k1', 'at+jwt'])
    assert.deepEqual(jwt.payload, { iss: 'https://op.example' })
    assert.equal(Buffer.from(jwt.headerOctets).toString(), JSON.stringify(someHeader))
    assert.equal(Buffer.from(jwt.payloadOctets).toString(), payload)
    assert.deepEqual(Buffer.from(jwt.signatureOctets), someSignature)
    assert.equal(jwt.signingInput, token.slice(0, token.lastIndexOf('.')))
  })

  it('takes an empty kid for none and leaves typ undefined when there is none', () => {
    const jwt = parseJwt(rawToken({ alg: 'RS256', kid: '' }, {}))
    assert.ok(jwt)
    assert.deepEqual([jwt.kid, jwt.typ], [undefined, undefined])
  })

  it('tolerates pad bits that are not zero, in any segment, and decodes the same octets', () => {
    const segments = rawToken(someHeader, { a: 12 }, someSignature.subarray(0, 8)).split('.')
    for (const [at, segment] of segments.entries()) {
      if (segment.length % 4 === 0) continue
      const flipped = segments.with(at, flipPadBits(segment)).join('.')
      const [one, other] = [parseJwt(segments.join('.')), parseJwt(flipped)]
      assert.ok(one && other)
      assert.notEqual(flipped, segments.join('.'))
      assert.deepEqual({ ...other, signingInput: one.signingInput }, one)
    }
    assert.ok(segments.filter(segment => segment.length % 4 !== 0).length >= 2)
  })

  it('refuses anything outside three segments of the base64url alphabet', () => {
    const token = rawToken(someHeader, {}, someSignature)
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const bad = [
      '',
      '.',
      '..',
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}`,
      `${token}.`,
      `${token}.${signature}.${signature}`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      `${header}.${payload} .${signature}`,
      `${header}.${payload}.${signature}+`,
      `${header}.${payload}.${signature}/`,
      `${header}.${payload}.${signature}é`,
      `${header}.${payload}.AAAAA`,
    ]
    for (const text of bad) assert.equal(parseJwt(text), undefined, JSON.stringify(text))
    assert.ok(parseJwt(token))
  })

  it('accepts a token of exactly the limit and refuses one that is longer', () => {
    const token = rawToken(someHeader, { a: 'x'.repeat(100) }, someSignature)
    assert.ok(parseJwt(token, { tokenLimitBytes: token.length, depthLimit: 16 }))
    assert.equal(parseJwt(token, { tokenLimitBytes: token.length - 1, depthLimit: 16 }), undefined)
    assert.equal(parseJwt(rawToken(someHeader, { a: 'x'.repeat(16 * 1024) })), undefined)
  })

  it('refuses a header or payload that is not a JSON object', () => {
    for (const text of [
      '[]',
      '1',
      '"a"',
      'null',
      'true',
      '',
      '{',
      '{"a":1}x',
      '\ufeff{}',
      "{'a':1}",
      '{"a":NaN}',
    ]) {
      assert.equal(parseJwt(rawToken(someHeader, text)), undefined, `payload ${text}`)
      assert.equal(parseJwt(rawToken(text, {})), undefined, `header ${text}`)
    }
  })

  it('refuses octets that are not UTF-8', () => {
    const header = Buffer.from(JSON.stringify(someHeader)).toString('base64url')
    for (const octets of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      const payload = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(octets), Buffer.from('"}')])
      assert.equal(parseJwt(`${header}.${payload.toString('base64url')}.`), undefined)
    }
  })

  it('refuses members that occur twice, at any depth and however they are spelled', () => {
    const bad = [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"x":{"a":1,"b":{},"a":2}}',
      '{"x":[{"a":1},{"b":1,"b":2}]}',
      '{"__proto__":1,"__proto__":2}',
      '{"":1,"":2}',
      '{"\\"":1,"\\u0022":2}',
    ]
    for (const text of bad) assert.equal(parseJwt(rawToken(someHeader, text)), undefined, text)
    assert.equal(parseJwt(rawToken('{"alg":"RS256","alg":"none"}', {})), undefined)
    const good = [
      '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
      '{"a":"\\",\\"a\\":1","b":["a","a"]}',
      '{"a":"b","b":"a"}',
    ]
    for (const text of good) assert.deepEqual(parseJwt(rawToken(someHeader, text))?.payload, JSON.parse(text))
  })

  it('accepts nesting up to the limit and refuses more', () => {
    assert.ok(parseJwt(rawToken(someHeader, nested(16))))
    assert.equal(parseJwt(rawToken(someHeader, nested(17))), undefined)
    assert.equal(parseJwt(rawToken(someHeader, nested(5_000))), undefined)
  })

  it('refuses crit, a missing or non-text alg, and a kid or typ that is not text', () => {
    const bad = [
      { ...someHeader, crit: ['b64'] },
      { ...someHeader, crit: null },
      {},
      { alg: 1 },
      { alg: null },
    ]
    for (const header of [
      ...bad,
      { alg: 'RS256', kid: 7 },
      { alg: 'RS256', kid: null },
      { alg: 'RS256', typ: 1 },
    ]) {
      assert.equal(parseJwt(rawToken(header, {})), undefined, JSON.stringify(header))
    }
    assert.equal(parseJwt(rawToken('{"__proto__":{"alg":"RS256"}}', {})), undefined)
  })

  it('gives claims as own properties only', () => {
    const payload = parseJwt(rawToken(someHeader, '{"__proto__":{"sub":"a"},"toString":1}'))?.payload
    assert.ok(payload)
    assert.equal(ownMember(payload, 'sub'), undefined)
    assert.equal(ownMember(payload, 'constructor'), undefined)
    assert.equal(ownMember(payload, 'toString'), 1)
  })

  it('never throws, whatever the text', () => {
    const parts = fc.oneof(fc.json(), fc.string({ unit: 'binary' }))
    const encoded = fc
      .tuple(parts, parts, fc.uint8Array())
      .map(([header, payload, signature]) => rawToken(header, payload, signature))
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.-]*$/), encoded)
    fc.assert(
      fc.property(text, token => {
        const jwt = parseJwt(token)
        assert.ok(jwt === undefined || typeof jwt.alg === 'string')
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads back any JSON object as it was written', () => {
    const payload = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
    fc.assert(
      fc.property(payload, claims => {
        const text = JSON.stringify(claims)
        assert.deepEqual(
          parseJwt(rawToken(someHeader, text), { tokenLimitBytes: 2 ** 20, depthLimit: 16 })?.payload,
          JSON.parse(text),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('never throws on a genuine token with some octets changed', () => {
    const token = rawToken(
      someHeader,
      { iss: 'https://op.example', aud: ['a', 'b'], nested: { a: [1, { b: 2 }] } },
      someSignature,
    )
    const changes = fc.array(
      fc.tuple(fc.nat(token.length - 1), fc.string({ unit: 'binary', maxLength: 2 })),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(changes, edits => {
        const mutated = edits.reduce(
          (text, [at, piece]) => text.slice(0, at) + piece + text.slice(at + 1),
          token,
        )
        const jwt = parseJwt(mutated)
        assert.ok(jwt === undefined || mutated.startsWith(`${jwt.signingInput}.`))
      }),
      { numRuns: 2_000 },
    )
  })
})
