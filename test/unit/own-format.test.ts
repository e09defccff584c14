/** Our events in the log: what is written is read again, and anything else is a dead letter that stops nobody. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { applyEntry } from '../../revocation/apply-entry.ts'
import { RescindError } from '../../revocation/error.ts'
import { createEventCodec, eventBytesLimit, eventTypes } from '../../revocation/formats/rescind.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { block, bytesOf, cut, digestAt, idOf, restore } from '../support/revocations.ts'

const hex = fc.stringMatching(/^[0-9a-f]{32}$/)
const seconds = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true, max: 1e15 }))
const texts = {
  tokenType: fc.string({ unit: 'grapheme', maxLength: 20 }),
  reason: fc.string({ unit: 'grapheme', maxLength: 200 }),
  actor: fc.string({ maxLength: 50 }),
}
const match = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean()),
  { minKeys: 1, maxKeys: 8, noNullPrototype: true },
)
const kind = <Kind extends LogEvent['kind']>(name: Kind) => fc.constant(name)
const required = { kind: kind('revocation'), id: hex, match, revokedAt: seconds }
const options = { noNullPrototype: true, requiredKeys: ['kind', 'id', 'match', 'revokedAt'] as never }

const anyEvent = fc.oneof(
  fc
    .record({ ...required, expiresAt: seconds, ...texts }, options)
    .map(event => ({ expiresAt: 1, ...(event as object) })),
  fc
    .record({ ...required, issuedBefore: seconds, ...texts }, options)
    .map(event => ({ issuedBefore: 1, ...(event as object) })),
  fc.record({
    kind: kind('restoration'),
    id: hex,
    target: hex,
    key: hex,
    expiresAt: seconds,
    restoredAt: seconds,
  }),
  fc.record({ kind: kind('claim-set'), names: fc.array(fc.string(), { maxLength: 5 }), cut: fc.boolean() }),
  fc.record({ kind: kind('token-lifetime'), seconds, declaredAt: seconds }),
) as unknown as Arbitrary<LogEvent>

/** As JSON carries it: -0 is 0 there. */
const plain = (event: LogEvent) => JSON.parse(JSON.stringify(event))

const good = (event: LogEvent = block({ sub: 'a' }, 100)) => JSON.parse(bytesOf(event).toString())

const isInvalid = (error: unknown): boolean =>
  error instanceof RescindError && error.code === 'ERR_EVENT_INVALID'

const codec = createEventCodec()

const decoded = (value: unknown) => codec.decode(Buffer.from(JSON.stringify(value)))

test('every event that is written is read again as it was', () => {
  fc.assert(
    fc.property(anyEvent, event => {
      assert.deepEqual(plain(codec.decode(codec.encode(event))), plain(event))
    }),
    { numRuns: 1_000 },
  )
})

test('an event is a CloudEvent 1.0 whose type carries the version of the format', () => {
  const { specversion, type, source, id, datacontenttype } = good(block({ sub: 'a' }, 100, idOf(1)))
  assert.deepEqual(
    { specversion, type, source, id, datacontenttype },
    {
      specversion: '1.0',
      type: 'io.rescind.revocation.v1',
      source: '/rescind',
      id: idOf(1),
      datacontenttype: 'application/json',
    },
  )
  assert.equal(
    JSON.parse(codec.encode({ kind: 'token-lifetime', seconds: 5, declaredAt: 1 }, 'own').toString()).id,
    'own',
  )
})

test('a claim with the name __proto__ survives', () => {
  const event = block(JSON.parse('{"__proto__": "a"}'), 100)
  const read = codec.decode(codec.encode(event))
  assert.ok(read.kind === 'revocation' && Object.hasOwn(read.match, '__proto__'))
})

test('fields that are not known are passed over', () => {
  const event = good()
  assert.deepEqual(
    decoded({ ...event, time: 'x', data: { ...event.data, labels: ['a'], reason: 5 } }),
    block({ sub: 'a' }, 100),
  )
})

describe('refused is', () => {
  const changes: Record<string, (event: Record<string, unknown>) => unknown> = {
    'no object': () => [good()],
    'no event at all': () => null,
    'another version of CloudEvents': event => ({ ...event, specversion: '2.0' }),
    'a type in a version that is not known': event => ({ ...event, type: 'io.rescind.revocation.v2' }),
    'a type of others': event => ({ ...event, type: 'com.example.revocation' }),
    'a type that objects inherit': event => ({ ...event, type: 'constructor' }),
    'no data': ({ data: _, ...event }) => event,
    'data that is a list': event => ({ ...event, data: [] }),
  }
  for (const [name, change] of Object.entries(changes)) {
    test(name, () => assert.throws(() => decoded(change(good())), isInvalid))
  }

  const wrong: readonly (readonly [LogEvent, Record<string, readonly unknown[]>])[] = [
    [
      cut({ sub: 'a' }, 5),
      {
        id: [undefined, 5, '', 'A'.repeat(32), 'a'.repeat(31)],
        match: [undefined, null, 'sub', ['sub']],
        issuedBefore: [undefined, null, -1, '5', true],
        expiresAt: [null, -1, '5'],
        revokedAt: [undefined, null, -5],
      },
    ],
    [
      restore(block({ sub: 'a' }, 100)),
      {
        id: [undefined],
        target: [undefined, 'x'],
        key: [undefined, 'a'.repeat(33)],
        expiresAt: [undefined, -1, '1'],
        restoredAt: [undefined],
      },
    ],
    [{ kind: 'claim-set', names: ['a'], cut: true }, { names: [undefined, 'a', [1], { 0: 'a' }] }],
    [
      { kind: 'token-lifetime', seconds: 5, declaredAt: 1 },
      { declaredAt: [undefined, -1], seconds: [undefined, -1, '5', null] },
    ],
  ]
  for (const [event, fields] of wrong) {
    for (const [name, values] of Object.entries(fields)) {
      test(`a ${event.kind} whose ${name} is wrong`, () => {
        for (const value of values) {
          const envelope = good(event)
          assert.throws(() => decoded({ ...envelope, data: { ...envelope.data, [name]: value } }), isInvalid)
        }
      })
    }
  }

  test('a time that is no finite number', () => {
    const text = JSON.stringify(good()).replace('"expiresAt":100', '"expiresAt":1e999')
    assert.throws(() => codec.decode(Buffer.from(text)), isInvalid)
  })

  test('an event of more bytes than are allowed, when it is written and when it is read', () => {
    const long = { ...block({ sub: 'a' }, 100), reason: 'x'.repeat(eventBytesLimit) }
    assert.throws(
      () => codec.encode(long),
      (error: unknown) => error instanceof RescindError && error.code === 'ERR_EVENT_TOO_LARGE',
    )
    assert.throws(() => decoded({ ...good(), filler: 'x'.repeat(eventBytesLimit) }), isInvalid)
    const { length } = bytesOf({ ...long, reason: '' })
    const most = { ...long, reason: 'x'.repeat(eventBytesLimit - length) }
    assert.equal(bytesOf(most).length, eventBytesLimit)
    assert.deepEqual(codec.decode(bytesOf(most)), most)
  })
})

const strangeBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map(text => Buffer.from(text)),
  fc
    .tuple(fc.constantFrom(...Object.values(eventTypes)), fc.jsonValue())
    .map(([type, data]) => Buffer.from(JSON.stringify({ specversion: '1.0', type, data }))),
  fc
    .tuple(fc.constantFrom('id', 'match', 'issuedBefore', 'expiresAt', 'revokedAt'), fc.jsonValue())
    .map(([name, value]) => {
      const event = good(cut({ sub: 'a' }, 5))
      return Buffer.from(JSON.stringify({ ...event, data: { ...event.data, [name]: value } }))
    }),
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([place, byte]) => {
    const bytes = bytesOf(block({ sub: 'a' }, 100))
    bytes[place % bytes.length] = byte
    return bytes
  }),
)

test('whatever a log holds is read, or refused as what it is', () => {
  let refused = 0
  fc.assert(
    fc.property(strangeBytes, bytes => {
      try {
        codec.decode(bytes)
      } catch (error) {
        assert.ok(isInvalid(error), String(error))
        refused++
      }
    }),
    { numRuns: 5_000 },
  )
  assert.ok(refused > 2_000)
})

test('a reader goes on after whatever a log holds, and what comes later takes effect', () => {
  fc.assert(
    fc.property(fc.array(strangeBytes, { minLength: 1, maxLength: 10 }), strange => {
      const state = new LiveState()
      for (const [index, bytes] of strange.entries()) {
        const { event, problem } = applyEntry(state, index + 1, digestAt(index + 1), bytes, codec)
        assert.equal(event === undefined, typeof problem === 'string' && problem.length > 0)
        assert.deepEqual([state.position, state.digest], [index + 1, digestAt(index + 1)])
      }
      const after = strange.length + 1
      const later = block({ jti: 'later' }, 100)
      assert.deepEqual(applyEntry(state, after, digestAt(after), bytesOf(later), codec), { event: later })
      assert.equal(state.confirm(after, digestAt(after)), 'confirmed')
      assert.ok(state.size > 0)
    }),
    { numRuns: 1_000 },
  )
})

test('a revocation of claims that are not allowed is a dead letter with the reason', () => {
  const state = new LiveState()
  const problems = [{}, { $new: 'x' }, { sub: 0.5 }, { sub: null }, { role: 'x' }].map((wrong, index) => {
    const bytes = bytesOf({ ...block({ sub: 'a' }, 100), match: wrong as never })
    return applyEntry(state, index + 1, 1n, bytes, codec).problem
  })
  assert.deepEqual(
    problems.map(problem => /match|claim_set_undeclared/.test(problem ?? '')),
    [true, true, true, true, true],
  )
  assert.deepEqual(state.claimSets.sets, [])
})

test('an event whose type is no text, or is deeply nested, is a dead letter like any other', () => {
  const state = new LiveState()
  const types = ['{"toString":1,"valueOf":1}', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, '7', 'null']
  types.forEach((type, index) => {
    const bytes = Buffer.from(`{"specversion":"1.0","type":${type},"data":{}}`)
    assert.ok(applyEntry(state, index + 1, 1n, bytes, codec).problem !== undefined)
  })
  assert.equal(state.position, types.length)
})
