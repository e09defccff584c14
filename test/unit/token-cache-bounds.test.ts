/** The cache of verified tokens stays within its bounds and never gives one token for another. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CachedToken, TokenCache } from '../../enforcer/check/token-cache.ts'
import type { VerifiedToken } from '../../token/verifier.ts'

/** A cached token that can be told from others; nothing of the token itself is read by the cache. */
const cached = (): CachedToken => ({ token: {} as VerifiedToken, claimSets: undefined, keys: undefined })

/** Texts of 1 to about 10,000 characters that differ in their ends. */
const text = fc
  .tuple(fc.nat({ max: 40 }), fc.nat({ max: 5 }))
  .map(([number, size]) => `${'x'.repeat(size * 2_000)}.${number}`)
const step = fc.record({
  do: fc.constantFrom('set' as const, 'set' as const, 'get' as const, 'delete' as const),
  text,
})

test('whatever is set, found and deleted: at most so many entries, and each is what was last set for its text', () => {
  let found = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 15 }),
      fc.array(step, { maxLength: 200, size: 'max' }),
      (entriesLimit, steps) => {
        const cache = new TokenCache({ entriesLimit, bytesLimit: 2 ** 20 })
        const last = new Map<string, CachedToken>()
        for (const { do: action, text: key } of steps) {
          if (action === 'set') {
            last.set(key, cached())
            cache.set(key, last.get(key) as CachedToken)
          } else if (action === 'delete') {
            last.delete(key)
            cache.delete(key)
          }
          const remembered = cache.get(key)
          if (remembered !== undefined) {
            assert.equal(remembered, last.get(key))
            found++
          }
          assert.ok(cache.size <= entriesLimit, `${cache.size} entries, ${entriesLimit} allowed`)
        }
      },
    ),
    { numRuns: 300 },
  )
  assert.ok(found > 1_000)
})

test('large tokens are remembered up to the bound in bytes', () => {
  const cache = new TokenCache({ entriesLimit: 1_000_000, bytesLimit: 1_000_000 })
  let most = 0
  for (let index = 0; index < 500; index++) {
    cache.set(`${'x'.repeat(10_000)}${index}`, cached())
    most = Math.max(most, cache.size)
  }
  assert.ok(most >= 10 && most * 30_000 <= 1_000_000, `${most} tokens of about 31 kB`)
})

test('a token that is larger than half of the bound is not remembered, and drives nothing out', () => {
  const cache = new TokenCache({ entriesLimit: 100, bytesLimit: 100_000 })
  cache.set('small', cached())
  cache.set('x'.repeat(50_000), cached())
  assert.equal(cache.get('x'.repeat(50_000)), undefined)
  assert.ok(cache.get('small') !== undefined)
})

test('what is used is kept while what is not used is forgotten', () => {
  const cache = new TokenCache({ entriesLimit: 10, bytesLimit: 2 ** 20 })
  cache.set('used', cached())
  for (let index = 0; index < 1_000; index++) {
    cache.set(`other ${index}`, cached())
    assert.ok(cache.get('used') !== undefined, `after ${index}`)
  }
  assert.equal(cache.get('other 0'), undefined)
})
