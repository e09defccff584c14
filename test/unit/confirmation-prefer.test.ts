/** For how long a request prefers to wait (RFC 7240). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitMsOf } from '../../revoker/confirmation/prefer.ts'

const cases: readonly [prefer: string | readonly string[] | undefined, waitMs: number | undefined][] = [
  [undefined, undefined],
  ['', undefined],
  ['wait=5', 5_000],
  ['WAIT=5', 5_000],
  ['wait = "5"', 5_000],
  ['wait=0', 0],
  ['return=minimal, wait=10', 10_000],
  [['return=minimal', 'wait=10'], 10_000],
  ['wait=3; foo=bar', 3_000],
  ['wait=3, wait=7', 3_000],
  ['wait=x, wait=7', 7_000],
  ['wait=999999999', 30_000],
  ['wait=9999999999', undefined],
  ['wait', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['respond-async', undefined],
  ['await=5', undefined],
]

for (const [prefer, waitMs] of cases)
  test(`Prefer: ${prefer} is ${waitMs === undefined ? 'no wait' : `a wait of ${waitMs} ms`}`, () => {
    assert.equal(waitMsOf(prefer), waitMs)
  })
