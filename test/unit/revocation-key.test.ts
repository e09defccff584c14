/** Keys: which names and values there are, what a key is derived from, and the test vectors of docs/protocol.md. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { builtInClaimSets, createClaimSet } from '../../revocation/claim-set.ts'
import { claimSetGeneration } from '../../revocation/claim-sets.ts'
import { claimNameLimit, claimValueLimit, ownNames, valueText } from '../../revocation/claims.ts'
import { RescindError } from '../../revocation/error.ts'
import { keyFromText, keyText, type Match, matchKey } from '../../revocation/key.ts'
import { projectRoot } from '../support/project.ts'

const hexOf = (match: unknown, cut = false): string => matchKey(match as Match, cut).key.toString('hex')

const isRefused = (match: unknown): void => {
  assert.throws(
    () => matchKey(match as Match, false),
    (error: unknown) => error instanceof RescindError && error.code === 'ERR_REVOCATION_INVALID',
    JSON.stringify(match),
  )
}

describe('the test vectors of docs/protocol.md, which were computed by another program', () => {
  const document = readFileSync(join(projectRoot, 'docs', 'protocol.md'), 'utf8')
  const keys = [...document.matchAll(/^\| `(\{.*\})` \| (block|cut) \| `([0-9a-f]{32})` \|$/gm)]
  const generations = [...document.matchAll(/^\| `(\[.*\])` \| `(\d+)` \|$/gm)]

  test('are there', () => assert.deepEqual([keys.length, generations.length], [19, 4]))

  for (const [, match, kind, key] of keys) {
    test(`${kind} of ${match}`, () => assert.equal(hexOf(JSON.parse(match as string), kind === 'cut'), key))
  }
  for (const [, sets, generation] of generations) {
    test(`generation of ${sets}`, () =>
      assert.equal(claimSetGeneration(JSON.parse(sets as string)), Number(generation)))
  }
})

describe('values', () => {
  test('5 and "5" are the same, and so are true and "true", 0 and -0', () => {
    assert.equal(hexOf({ sub: 5 }), hexOf({ sub: '5' }))
    assert.equal(hexOf({ sub: true }), hexOf({ sub: 'true' }))
    assert.equal(hexOf({ sub: -0 }), hexOf({ sub: 0 }))
    assert.notEqual(hexOf({ sub: '5' }), hexOf({ sub: '05' }))
  })

  test('that are no string, safe integer or boolean are refused', () => {
    const wrong = [
      0.5,
      1e21,
      2 ** 53,
      -(2 ** 53),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      undefined,
      {},
      [],
      ['a'],
      5n,
    ]
    for (const value of wrong) {
      assert.equal(valueText(value), undefined)
      assert.throws(() => matchKey({ sub: value } as unknown as Match, false), RescindError)
    }
  })

  test('with a lone surrogate are refused: different ones would have the same UTF-8', () => {
    for (const text of ['\ud834', 'a\udd1e', '\udd1e\ud834']) isRefused({ sub: text })
    assert.equal(valueText('\ud834\udd1e'), '\ud834\udd1e')
  })

  test('are not normalised', () => {
    assert.notEqual(hexOf({ sub: '\u00fc' }), hexOf({ sub: 'u\u0308' }))
  })

  test('may be empty, and have up to their limit of characters', () => {
    assert.equal(hexOf({ sub: '' }).length, 32)
    assert.equal(hexOf({ sub: 'x'.repeat(claimValueLimit) }).length, 32)
    isRefused({ sub: 'x'.repeat(claimValueLimit + 1) })
  })
})

describe('names', () => {
  test('that begin with $ must be known', () => {
    for (const name of ownNames) assert.equal(hexOf({ [name]: 'x' }).length, 32)
    for (const name of ['$', '$jti', '$Client', '$client ', '$constructor']) isRefused({ [name]: 'x' })
  })

  test('are not empty, not too long and without lone surrogates', () => {
    assert.equal(hexOf({ ['x'.repeat(claimNameLimit)]: 'x' }).length, 32)
    for (const name of ['', 'x'.repeat(claimNameLimit + 1), '\ud834']) isRefused({ [name]: 'x' })
  })

  test('of a match are at least one and at most eight', () => {
    isRefused({})
    const names = Array.from({ length: 9 }, (_, index) => [`n${index}`, 'x'])
    assert.equal(hexOf(Object.fromEntries(names.slice(1))).length, 32)
    isRefused(Object.fromEntries(names))
  })

  test('such as __proto__ and constructor are names like others', () => {
    const match = JSON.parse('{"__proto__": "a", "constructor": "b"}') as Match
    assert.deepEqual(matchKey(match, false).set.names, ['__proto__', 'constructor'])
    assert.notEqual(hexOf(match), hexOf(JSON.parse('{"__proto__": "c", "constructor": "b"}')))
  })

  test('of a match are its own only', () => {
    assert.equal(hexOf(Object.assign(Object.create({ iss: 'inherited' }), { sub: 'a' })), hexOf({ sub: 'a' }))
    isRefused(Object.create({ sub: 'a' }))
  })

  test('are in the order of their UTF-8 bytes, which is not that of UTF-16', () => {
    const [high, replacement] = ['\u{1d11e}', '\ufffd']
    assert.ok(high < replacement)
    assert.deepEqual(createClaimSet([high, replacement, 'b', 'a', 'B'], false).names, [
      'B',
      'a',
      'b',
      replacement,
      high,
    ])
  })

  test('count once in a claim set', () => {
    assert.deepEqual(createClaimSet(['sub', 'iss', 'sub'], true), { names: ['iss', 'sub'], cut: true })
  })
})

describe('a key', () => {
  test('does not depend on the order in which claims are given', () => {
    assert.equal(hexOf({ iss: 'a', sub: 'b' }), hexOf({ sub: 'b', iss: 'a' }))
  })

  test('is another one for a block and for a cut', () => {
    assert.notEqual(hexOf({ sub: 'b' }, true), hexOf({ sub: 'b' }, false))
  })

  test('is the same for the same pairs, and another one wherever name and value are divided differently', () => {
    const text = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('a', 'b', '\0', '\u0001') })
    const match = fc.dictionary(text, text, { minKeys: 1, maxKeys: 3 })
    fc.assert(
      fc.property(match, match, (first, second) => {
        const canonical = (one: object) => JSON.stringify(Object.entries(one).sort())
        assert.equal(hexOf(first) === hexOf(second), canonical(first) === canonical(second))
      }),
      { numRuns: 2_000 },
    )
  })

  test('as text for maps comes back as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
        const text = keyText(bytes)
        assert.equal(text.length, 16)
        assert.deepEqual(keyFromText(text), Buffer.from(bytes))
      }),
    )
  })
})

test('the built-in claim sets are those of the specification, each as block and as cut', () => {
  const withIssuer = ['jti', '$token', 'sub', 'sid', '$client', 'sub $client', 'sid $client']
  const names = [...withIssuer, ...withIssuer.map(set => `iss ${set}`), 'iss', 'iss $kid', '$signature']
  const sorted = names.map(set => set.split(' ').sort().join(' ')).sort()
  for (const cut of [false, true]) {
    const actual = builtInClaimSets.filter(set => set.cut === cut).map(set => set.names.join(' '))
    assert.deepEqual(actual.sort(), sorted)
  }
})
