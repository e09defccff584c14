/** The digests of the last positions, by which a resume is judged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Confirmation, DigestHistory } from '../../revocation/digest-history.ts'
import { digestAt } from '../support/revocations.ts'

/** Every third position exists, as in a log with gaps. */
const filled = (count: number, limit?: number): DigestHistory => {
  const history = new DigestHistory(limit)
  for (let index = 1; index <= count; index++) history.push(index * 3, digestAt(index * 3))
  return history
}

test('before anything was read every position is ahead', () => {
  assert.equal(new DigestHistory().confirm(1, 0n), 'ahead')
})

test('a position is confirmed by its digest only', () => {
  const history = filled(10)
  assert.equal(history.confirm(9, digestAt(9)), 'confirmed')
  assert.equal(history.confirm(9, digestAt(12)), 'different')
})

test('a position that is a gap here is different, whatever its digest', () => {
  assert.equal(filled(10).confirm(10, digestAt(10)), 'different')
})

test('a position after the last is ahead, one before the first that is kept is trimmed and not different', () => {
  const history = filled(10, 4)
  assert.equal(history.confirm(31, digestAt(31)), 'ahead')
  assert.equal(history.confirm(18, digestAt(18)), 'trimmed')
  assert.equal(history.confirm(21, digestAt(21)), 'confirmed')
  assert.equal(history.confirm(30, digestAt(30)), 'confirmed')
})

/** What a list of the last positions says. */
const expected = (last: number, limit: number, position: number, isRight: boolean): Confirmation => {
  const kept = Array.from({ length: last }, (_, index) => (index + 1) * 3).slice(-limit)
  if (position < (kept[0] as number)) return 'trimmed'
  if (position > (kept.at(-1) as number)) return 'ahead'
  return kept.includes(position) && isRight ? 'confirmed' : 'different'
}

test('the ring says of every position what a list of the last ones says', () => {
  const size = fc.integer({ min: 1, max: 3_000 })
  const question = fc.tuple(fc.nat({ max: 9_100 }), fc.boolean())
  fc.assert(
    fc.property(size, size, fc.array(question, { minLength: 20 }), (count, limit, questions) => {
      const history = filled(count, limit)
      for (const [position, isRight] of questions) {
        const digest = digestAt(position) + (isRight ? 0n : 1n)
        assert.equal(history.confirm(position, digest), expected(count, limit, position, isRight))
      }
    }),
    { numRuns: 50 },
  )
})
