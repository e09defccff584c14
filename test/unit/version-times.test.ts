/** Since when versions have been there: exact for what is recent, roughly for what is old, in bounded memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createVersionTimes } from '../../adapter/version-times.ts'

test('the first version that somebody lacks tells since when', () => {
  const times = createVersionTimes()
  times.reached(5, 1_000)
  times.reached(9, 3_000)
  times.reached(9, 8_000)
  assert.deepEqual([-1, 4, 5, 8, 9, 10].map(times.firstAfter), [
    1_000,
    1_000,
    3_000,
    3_000,
    undefined,
    undefined,
  ])
})

test('what comes within a tenth of a second counts from its beginning', () => {
  const times = createVersionTimes()
  times.reached(1, 1_000)
  times.reached(2, 1_099)
  times.reached(3, 1_100)
  assert.deepEqual([0, 1, 2].map(times.firstAfter), [1_000, 1_000, 1_100])
})

test('cleared, versions count anew', () => {
  const times = createVersionTimes()
  times.reached(1_000, 1_000)
  times.clear()
  assert.equal(times.firstAfter(0), undefined)
  times.reached(1, 2_000)
  assert.equal(times.firstAfter(0), 2_000)
})

test('is never too late, and too early only by a tenth of a second or a thirtieth of the age, over weeks', () => {
  const pauseMs = fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(3_600_000))
  fc.assert(
    fc.property(fc.array(pauseMs, { minLength: 1, maxLength: 6_000, size: 'max' }), pausesMs => {
      const times = createVersionTimes()
      let nowMs = 0
      const cameAtMs = pausesMs.map(pause => (nowMs += pause))
      for (const [version, atMs] of cameAtMs.entries()) times.reached(version, atMs)
      for (const [version, atMs] of cameAtMs.entries()) {
        const told = times.firstAfter(version - 1) as number
        const ageMs = nowMs - atMs
        assert.ok(told <= atMs, `version ${version}: told ${told}, came ${atMs}`)
        assert.ok(
          atMs - told <= 100 + ageMs / 30,
          `version ${version}: told ${told}, came ${atMs}, age ${ageMs}`,
        )
      }
    }),
    { numRuns: 30 },
  )
})
