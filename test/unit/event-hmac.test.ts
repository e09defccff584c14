/** The HMAC of our events: with a key nothing counts that was not made with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyEntry } from '../../revocation/apply-entry.ts'
import { createEventCodec, eventBytesLimit } from '../../revocation/formats/rescind.ts'
import { LiveState } from '../../revocation/live-state.ts'
import { anyRevocation, block, restore } from '../support/revocations.ts'

const key = 'k'.repeat(32)
const signing = createEventCodec(key)
const plain = createEventCodec()
const revocation = block({ jti: 'a' }, 1_000)

const refuses = (bytes: Uint8Array, message: RegExp) =>
  assert.throws(() => signing.decode(bytes), { code: 'ERR_EVENT_INVALID', message })

test('what was signed is read again, and is a CloudEvent with one more attribute', () => {
  fc.assert(
    fc.property(anyRevocation, event => {
      const bytes = signing.encode(event)
      assert.deepEqual(signing.decode(bytes), plain.decode(plain.encode(event)))
      const { hmac, ...rest } = JSON.parse(bytes.toString())
      assert.match(hmac, /^[A-Za-z0-9_-]{43}$/)
      assert.deepEqual(rest, JSON.parse(plain.encode(event).toString()))
    }),
  )
})

test('an event without an HMAC, or with one of another key, is refused', () => {
  refuses(plain.encode(revocation), /no HMAC/)
  refuses(
    createEventCodec('another key, which is long enough').encode(revocation),
    /not made with eventLog\.key/,
  )
  refuses(Buffer.alloc(0), /no HMAC/)
})

test('an event of which any byte was changed is refused', () => {
  const bytes = signing.encode(revocation)
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] as number) ^ 1
    assert.throws(() => signing.decode(changed), { code: 'ERR_EVENT_INVALID' }, `byte ${index}`)
  }
})

test('the HMAC of one event does not serve another one', () => {
  const hmac = signing.encode(revocation).subarray(-54)
  const other = plain.encode(restore(revocation))
  refuses(Buffer.concat([other.subarray(0, -1), hmac]), /not made with eventLog\.key/)
})

test('in a log with a key an unsigned restoration restores nothing', () => {
  const state = new LiveState()
  applyEntry(state, 1, 1n, signing.encode(revocation), signing)
  const { problem } = applyEntry(state, 2, 2n, plain.encode(restore(revocation)), signing)
  assert.match(problem ?? '', /no HMAC/)
  assert.equal([...state.all()][0]?.entry.expiresAt, 1_000)
  assert.equal(state.position, 2)
})

test('without a key the HMAC is not looked at', () => {
  assert.deepEqual(plain.decode(signing.encode(revocation)), plain.decode(plain.encode(revocation)))
})

test('an event with its HMAC keeps to the limit', () => {
  const long = (length: number) => ({ ...revocation, reason: 'r'.repeat(length) })
  const room = eventBytesLimit - plain.encode(long(0)).length
  assert.equal(plain.encode(long(room)).length, eventBytesLimit)
  assert.throws(() => signing.encode(long(room)), { code: 'ERR_EVENT_TOO_LARGE' })
})

test('the codec is known by an id that does not tell the key', () => {
  assert.equal(plain.id, '')
  assert.notEqual(signing.id, createEventCodec(`${key}x`).id)
  assert.ok(!signing.id.includes('k'))
})
