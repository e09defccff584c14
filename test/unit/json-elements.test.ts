/** A long list is read while it arrives, element by element, however it is cut into pieces. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RescindError } from '../../revocation/error.ts'
import { createElementSplitter } from '../../revoker/event-hub/json-elements.ts'

const split = (bytes: Uint8Array, cuts: readonly number[], limitBytes = 1_000_000): string[] => {
  const splitter = createElementSplitter(limitBytes)
  const ends = [...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const elements = ends.flatMap((end, index) => splitter.push(bytes.subarray(ends[index - 1] ?? 0, end)))
  splitter.end()
  return elements.map(element => Buffer.from(element).toString())
}
const isInvalid = (error: unknown) => error instanceof RescindError && error.code === 'ERR_EVENT_INVALID'
const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()))

test('the elements are those of the array, wherever the pieces end', () => {
  fc.assert(
    fc.property(objects, fc.array(fc.nat()), fc.nat(4), (list, cuts, indent) => {
      const bytes = Buffer.from(JSON.stringify(list, undefined, indent))
      const expected = JSON.parse(bytes.toString())
      assert.deepEqual(
        split(bytes, cuts).map(text => JSON.parse(text)),
        expected,
      )
    }),
  )
})

test('a list that was cut off is not complete', () => {
  fc.assert(
    fc.property(objects, fc.nat(), (list, at) => {
      const text = JSON.stringify(list)
      assert.throws(() => split(Buffer.from(text).subarray(0, at % text.length), []), isInvalid)
    }),
  )
})

test('anything but an array of objects is refused, or the parts that look like objects are given', () => {
  for (const text of ['{}', 'null', '[1]', '["a"]', '[[{}]]', '<html>', '[{}] x', '[{}][{}]']) {
    assert.throws(() => split(Buffer.from(text), []), isInvalid, text)
  }
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat()), (bytes, cuts) => {
      try {
        split(bytes, cuts)
      } catch (error) {
        assert.ok(isInvalid(error), String(error))
      }
    }),
  )
})

test('an element over the limit is refused before it has arrived', () => {
  const splitter = createElementSplitter(100)
  splitter.push(Buffer.from(`[{"a":"${'x'.repeat(50)}`))
  assert.throws(() => splitter.push(Buffer.alloc(60, 'x')), isInvalid)
})
