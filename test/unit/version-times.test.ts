/** Since when versions have been there: exact for what is recent, roughly for what is old, in bounded memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
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

const minuteMs = 60_000
for (const { often, longestMs } of [
  { often: 'a hundred times a second', longestMs: 20 },
  { often: 'a few times a second', longestMs: 600 },
  { often: 'each minute', longestMs: 2 * minuteMs },
  { often: 'each hour', longestMs: 120 * minuteMs },
]) {
  test(`of versions that come ${often}, is never too late, and early by a tenth of a second or a twentieth of the age`, () => {
    const times = createVersionTimes()
    const cameAtMs: number[] = []
    let nowMs = 0
    for (let version = 0; version < 10_000; version++) {
      nowMs += (version * 7_919) % longestMs
      cameAtMs.push(nowMs)
      times.reached(version, nowMs)
    }
    nowMs += 10
    for (const [version, atMs] of cameAtMs.entries()) {
      const told = times.firstAfter(version - 1) as number
      const what = `version ${version} came ${nowMs - atMs} ms ago; told ${nowMs - told}`
      assert.ok(told <= atMs && atMs - told <= 100 + (nowMs - atMs) / 20, what)
    }
  })
}
