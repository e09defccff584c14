/** Rate limits: how much passes, when it passes again, and for whom they count. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressKey, createTokenBuckets } from '../../revoker/clients/token-buckets.ts'

const start = (options: { perSecond?: number; burst?: number; keysLimit?: number } = {}) => {
  const clock = { ms: 5_000 }
  const buckets = createTokenBuckets({
    perSecond: 2,
    burst: 3,
    keysLimit: 10,
    ...options,
    nowMs: () => clock.ms,
  })
  return { clock, ...buckets }
}
const takes = (count: number, take: () => number) => Array.from({ length: count }, take)

test('a burst passes, and what comes after it is told how long to wait', () => {
  const { take } = start()
  assert.deepEqual(
    takes(4, () => take('a')),
    [0, 0, 0, 500],
  )
})

test('what came too early does not count', () => {
  const { take, clock } = start()
  takes(100, () => take('a'))
  clock.ms += 500
  assert.deepEqual([take('a'), take('a')], [0, 500])
})

test('after a pause there is a burst again, and no more', () => {
  const { take, clock } = start()
  takes(3, () => take('a'))
  clock.ms += 3_600_000
  assert.deepEqual(
    takes(4, () => take('a')),
    [0, 0, 0, 500],
  )
})

test('each key has its own bucket, and to look takes nothing', () => {
  const { take, wait } = start({ burst: 1 })
  assert.deepEqual([take('a'), wait('a'), take('b'), wait('c'), take('c')], [0, 500, 0, 0, 0])
})

test('beyond the limit of keys the one that was used longest ago begins anew', () => {
  const { take, wait } = start({ burst: 1, keysLimit: 2 })
  take('a')
  take('b')
  take('c')
  assert.deepEqual([wait('a'), wait('b'), wait('c')], [0, 500, 500])
})

const addresses = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
] as const
for (const [address, key] of addresses)
  test(`the address ${address} counts for ${key}`, () => assert.equal(addressKey(address), key))
