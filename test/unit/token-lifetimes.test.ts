/** The limits of a log that was lost: they hold for the tokens of its time, and their number stays bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  lifetimeAt,
  lifetimeRaisesLimit,
  limitsOfLostLog,
  raiseDelaySeconds,
} from '../../revocation/token-lifetimes.ts'

const knownAt = 5_000
const latest = knownAt + raiseDelaySeconds
const limit = lifetimeRaisesLimit + 1

const anyLimit = fc.record({ until: fc.nat({ max: latest }), seconds: fc.integer({ min: 1, max: 1_000 }) })
const anyLifetimes = (maxLength: number) =>
  fc.record({ seconds: fc.integer({ min: 1, max: 1_000 }), earlier: fc.array(anyLimit, { maxLength }) })

/** What limits a token if the log after the lost one allows any life. */
const limitIn = (earlier: ReturnType<typeof limitsOfLostLog>, issuedAt: number) =>
  lifetimeAt({ seconds: 2_000, earlier }, issuedAt)

test('what held for a token of a lost log goes on to hold, and nothing more', () => {
  fc.assert(
    fc.property(anyLifetimes(limit - 1), fc.nat({ max: latest + 10 }), (held, issuedAt) => {
      const expected = issuedAt <= latest ? lifetimeAt(held, issuedAt) : 2_000
      assert.equal(limitIn(limitsOfLostLog(held, knownAt), issuedAt), expected)
    }),
  )
})

test('of more limits than are kept the oldest are held to the lowest of theirs', () => {
  const earlier = Array.from({ length: limit + 3 }, (_, index) => ({
    until: 10 * index,
    seconds: 100 + index,
  }))
  const kept = limitsOfLostLog({ seconds: 900, earlier }, knownAt)
  assert.equal(kept.length, limit)
  // 21 with the latest: the first five have become one.
  assert.deepEqual(kept.slice(0, 2), [{ until: 40, seconds: 100 }, earlier[5]])
  assert.deepEqual(kept.at(-1), { until: latest, seconds: 900 })
})

test('however many logs were lost, the limits stay few and no token gets a longer life', () => {
  fc.assert(
    fc.property(anyLifetimes(60), fc.nat({ max: latest }), (held, issuedAt) => {
      const kept = limitsOfLostLog(held, knownAt)
      assert.ok(kept.length <= limit)
      assert.ok(limitIn(kept, issuedAt) <= lifetimeAt(held, issuedAt))
    }),
  )
})
