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

const anySeconds = fc.integer({ min: 1, max: 1_000 })
const anyLimit = fc.record({ until: fc.nat({ max: latest }), seconds: anySeconds })
const anyHeld = fc.record({ seconds: anySeconds, earlier: fc.array(anyLimit, { maxLength: limit - 1 }) })

/** Each later one allows more, and so says something. */
const manyLimits = fc
  .tuple(...[latest, 1_000].map(max => fc.uniqueArray(fc.nat({ max }), { minLength: 40, maxLength: 40 })))
  .map(columns => columns.map(numbers => numbers.sort((one, other) => one - other)))
  .map(([untils = [], seconds = []]) =>
    untils.map((until, index) => ({ until, seconds: seconds[index] as number })),
  )

/** What limits a token if the log after the lost one allows any life. */
const limitIn = (earlier: ReturnType<typeof limitsOfLostLog>, issuedAt: number) =>
  lifetimeAt({ seconds: 2_000, earlier }, issuedAt)

test('what held for a token of a lost log goes on to hold, and nothing more', () => {
  fc.assert(
    fc.property(anyHeld, fc.nat({ max: latest + 10 }), (held, issuedAt) => {
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
    fc.property(manyLimits, fc.nat({ max: latest }), (earlier, issuedAt) => {
      const held = { seconds: 2_000, earlier }
      const kept = limitsOfLostLog(held, knownAt)
      assert.equal(kept.length, limit)
      assert.ok(limitIn(kept, issuedAt) <= lifetimeAt(held, issuedAt))
    }),
  )
})
