/** The keys of a token: those of the revocations that match it, and no others. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { builtInClaimSets, createClaimSet } from '../../revocation/claim-set.ts'
import type { TokenClaims, TokenFacts } from '../../revocation/claims.ts'
import { type Match, matchKey } from '../../revocation/key.ts'
import { tokenKeys, tokenKeysLimit } from '../../revocation/token-keys.ts'

const keysOf = (names: readonly string[], claims: TokenClaims, facts: TokenFacts = {}): string[] => {
  const words = tokenKeys([createClaimSet(names, false)], claims, facts)
  assert.ok(typeof words !== 'string', String(words))
  return hexesOf(words)
}

const hexesOf = (words: Uint32Array): string[] => {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, index * 4)
  return Array.from({ length: words.length / 4 }, (_, index) =>
    bytes.subarray(index * 16, index * 16 + 16).toString('hex'),
  )
}

const key = (match: Match): string => matchKey(match, false).key.toString('hex')

describe('a claim', () => {
  test('gives the key of the revocation that names its value', () => {
    assert.deepEqual(keysOf(['sub'], { sub: 'a', other: 'b' }), [key({ sub: 'a' })])
    assert.deepEqual(keysOf(['sub'], { sub: 5 }), [key({ sub: '5' })])
    assert.deepEqual(keysOf(['sub'], { sub: false }), [key({ sub: 'false' })])
  })

  test('that is absent, or of a type that cannot be matched, is no match', () => {
    for (const claims of [{}, { sub: null }, { sub: 0.5 }, { sub: {} }, { sub: [] }, { sub: '\ud834' }]) {
      assert.deepEqual(keysOf(['sub'], claims), [])
      assert.deepEqual(keysOf(['iss', 'sub'], { ...claims, iss: 'i' }), [])
    }
  })

  test('that is inherited is absent', () => {
    assert.deepEqual(keysOf(['sub'], Object.create({ sub: 'a' })), [])
    assert.deepEqual(keysOf(['constructor'], {}), [])
    assert.deepEqual(keysOf(['__proto__'], {}), [])
    assert.deepEqual(keysOf(['__proto__'], JSON.parse('{"__proto__": "a"}')), [
      key(JSON.parse('{"__proto__": "a"}')),
    ])
  })

  test('that is an array matches by each of its elements that can be matched', () => {
    const claims = { iss: 'i', groups: ['a', 5, null, { b: 1 }, true] }
    const expected = ['a', 5, true].map(groups => key({ iss: 'i', groups }))
    assert.deepEqual(keysOf(['iss', 'groups'], claims), expected)
  })

  test('with a name of ours is never read from the token', () => {
    const claims = { $kid: 'x', $token: 'x', $signature: 'x', $client: 'x' }
    for (const name of Object.keys(claims)) assert.deepEqual(keysOf([name], claims), [])
    assert.deepEqual(keysOf(['$kid'], claims, { $kid: 'k' }), [key({ $kid: 'k' })])
  })
})

describe('$client', () => {
  const cases: readonly (readonly [TokenClaims, string | undefined])[] = [
    [{ client_id: 'a', azp: 'b', aud: 'c' }, 'a'],
    [{ azp: 'b', aud: 'c' }, 'b'],
    [{ aud: 'c' }, 'c'],
    [{ aud: ['c'] }, 'c'],
    [{ aud: ['c', 'd'] }, undefined],
    [{ aud: [] }, undefined],
    [{ aud: 5 }, undefined],
    [{ aud: [5] }, undefined],
    [{ client_id: 7, aud: 'c' }, '7'],
    [{ client_id: null, azp: 'b' }, 'b'],
    [{}, undefined],
    [Object.create({ client_id: 'a' }), undefined],
  ]
  for (const [claims, client] of cases) {
    test(`of ${JSON.stringify(claims)} is ${client}`, () => {
      assert.deepEqual(keysOf(['$client'], claims), client === undefined ? [] : [key({ $client: client })])
    })
  }
})

describe('limits', () => {
  const list = (count: number, name = 'v') => Array.from({ length: count }, (_, index) => `${name}${index}`)

  test('a token with as many keys as are allowed has them all, one with more has none', () => {
    const set = createClaimSet(['groups'], false)
    const words = tokenKeys([set], { groups: list(tokenKeysLimit) }, {})
    assert.ok(typeof words !== 'string')
    assert.equal(new Set(hexesOf(words)).size, tokenKeysLimit)
    assert.equal(tokenKeys([set], { groups: list(tokenKeysLimit + 1) }, {}), 'too_many_keys')
  })

  test('the keys of all claim sets count together', () => {
    const sets = [createClaimSet(['groups'], false), createClaimSet(['groups'], true)]
    assert.ok(typeof tokenKeys(sets, { groups: list(tokenKeysLimit / 2) }, {}) !== 'string')
    assert.equal(tokenKeys(sets, { groups: list(tokenKeysLimit / 2 + 1) }, {}), 'too_many_keys')
  })

  test('two array claims in one set are too many, but not in two sets, nor arrays of one element', () => {
    const both = createClaimSet(['groups', 'roles'], false)
    assert.equal(tokenKeys([both], { groups: list(2), roles: list(2) }, {}), 'too_many_keys')
    assert.deepEqual(keysOf(['groups', 'roles'], { groups: ['a'], roles: ['b', 'c'] }), [
      key({ groups: 'a', roles: 'b' }),
      key({ groups: 'a', roles: 'c' }),
    ])
    const each = [createClaimSet(['groups'], false), createClaimSet(['roles'], false)]
    assert.ok(typeof tokenKeys(each, { groups: list(2), roles: list(2) }, {}) !== 'string')
  })

  test('two array claims in a set that cannot match for another reason are no reason to deny', () => {
    assert.deepEqual(keysOf(['groups', 'roles', 'sub'], { groups: list(2), roles: list(2) }), [])
  })
})

test('without claim sets in use a token has no keys; with the built-in ones it has one for each that applies', () => {
  const claims = { iss: 'i', jti: 'j', sub: 's', azp: 'c' }
  const none = tokenKeys([], claims, {})
  assert.equal(none.length, 0)
  const words = tokenKeys(builtInClaimSets, claims, { $kid: 'k', $token: 't' })
  assert.ok(typeof words !== 'string')
  const applying = [
    ...['jti', 'sub', '$token', '$client', 'sub $client'].flatMap(set => [set, `iss ${set}`]),
    'iss',
    'iss $kid',
  ]
  assert.equal(new Set(hexesOf(words)).size, applying.length * 2)
})
