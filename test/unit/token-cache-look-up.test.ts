/**
 * The cache of verified tokens finds a token by its end, and gives it for its exact text only.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CachedToken, TokenCache } from '../../enforcer/check/token-cache.ts'
import type { VerifiedToken } from '../../token/verifier.ts'

const end = 'e'.repeat(64)
const cachedOf = (kid: string): CachedToken => ({
  token: { kid } as VerifiedToken,
  claimSets: undefined,
  keys: undefined,
})
const createCache = () => new TokenCache({ entriesLimit: 4, bytesLimit: 2 ** 20 })

describe('the cache of verified tokens', () => {
  test('gives nothing for a text that only ends like one that it remembers', () => {
    const cache = createCache()
    cache.set(`one.${end}`, cachedOf('one'))
    assert.equal(cache.get(`two.${end}`), undefined)
    assert.equal(cache.get(`one.${end}`)?.token.kid, 'one')
  })

  test('remembers the last of two tokens that end alike, and counts only that', () => {
    const cache = createCache()
    cache.set(`one.${end}`, cachedOf('one'))
    cache.set(`two.${end}`, cachedOf('two'))
    assert.equal(cache.get(`one.${end}`), undefined)
    assert.equal(cache.get(`two.${end}`)?.token.kid, 'two')
    assert.equal(cache.size, 1)
  })

  test('does not forget a token for another one that ends alike', () => {
    const cache = createCache()
    cache.set(`one.${end}`, cachedOf('one'))
    cache.delete(`two.${end}`)
    assert.equal(cache.get(`one.${end}`)?.token.kid, 'one')
    cache.delete(`one.${end}`)
    assert.equal(cache.get(`one.${end}`), undefined)
    assert.equal(cache.size, 0)
  })

  test('keeps what is used when it forgets the oldest half', () => {
    const cache = createCache()
    for (const name of ['a', 'b', 'c']) cache.set(name, cachedOf(name))
    assert.equal(cache.get('a')?.token.kid, 'a')
    for (const name of ['d', 'e']) cache.set(name, cachedOf(name))
    assert.equal(cache.get('a')?.token.kid, 'a')
    assert.equal(cache.get('b'), undefined)
    assert.ok(cache.size <= 4)
  })
})
