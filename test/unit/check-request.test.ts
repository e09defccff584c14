/** What is read of a CheckRequest's bytes is what protobuf says, and bytes that are none do no harm. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { type CheckInput, readCheckRequest } from '../../enforcer/check/check-request.ts'
import { checkRequestCodec } from '../../proto/wire.ts'
import { RescindError } from '../../revocation/error.ts'
import { encode, loadUpstream, messageOf, type PlainMessage } from '../support/proto-definitions.ts'

const upstream = loadUpstream(['envoy/service/auth/v3/external_auth.proto'])
const type = upstream.lookupType('envoy.service.auth.v3.CheckRequest')

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

/** What a CheckRequest says, by protobufjs and our definitions. */
const expected = (bytes: Buffer): CheckInput => {
  const http = checkRequestCodec.decode(bytes).attributes?.request?.http
  const headers = [
    ...Object.entries(http?.headers ?? {}),
    ...(http?.headerMap?.headers ?? []).map(({ key, value, rawValue }): [string, string] => [
      key,
      rawValue.length > 0 ? rawValue.toString() : value,
    ]),
  ]
  const valuesOf = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return {
    authorization: valuesOf('authorization').map(latin1),
    isGrpc: valuesOf('content-type').at(-1)?.startsWith('application/grpc') ?? false,
  }
}

const found = (bytes: Buffer): CheckInput => {
  const { authorization, isGrpc } = readCheckRequest(bytes)
  return { authorization: [...authorization], isGrpc }
}

const name = fc.constantFrom(
  'authorization',
  'Authorization',
  'content-type',
  'authorizatiom',
  'x-request-id',
  '',
)
const value = fc.oneof(
  fc.constantFrom('Bearer abc', 'application/grpc', 'application/grpc+proto', 'application/json', ''),
  fc.string({ unit: 'grapheme' }),
)
const headerMap: Arbitrary<PlainMessage> = fc
  .array(
    fc.oneof(
      fc.record({ key: name, value }),
      fc.record({ key: name, rawValue: value.map(text => Buffer.from(text).toString('base64')) }),
    ),
    { maxLength: 4 },
  )
  .map(headers => ({ headers }))

/** Full upstream requests with every field that Envoy knows, and headers that are of interest. */
const request: Arbitrary<PlainMessage> = fc
  .record({
    message: messageOf(type, 6),
    http: messageOf(upstream.lookupType('envoy.service.auth.v3.AttributeContext.HttpRequest'), 3),
    headers: fc.option(fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true }), { nil: undefined }),
    headerMap: fc.option(headerMap, { nil: undefined }),
  })
  .map(({ message, http, headers, headerMap: map }) => {
    const attributes = (message.attributes ?? {}) as PlainMessage
    const changed = { ...http, ...(headers && { headers }), ...(map && { headerMap: map }) }
    return {
      ...message,
      attributes: { ...attributes, request: { ...(attributes.request as PlainMessage), http: changed } },
    }
  })

const bytesOf = (message: PlainMessage): Buffer => Buffer.from(encode(type, message))

const http = (fields: PlainMessage): Buffer => bytesOf({ attributes: { request: { http: fields } } })

test('of a full request of Envoy the headers are read as protobuf decodes them', () => {
  let withToken = 0
  fc.assert(
    fc.property(request, message => {
      const bytes = bytesOf(message)
      assert.deepEqual(found(bytes), expected(bytes))
      withToken += found(bytes).authorization.length > 0 ? 1 : 0
    }),
    { numRuns: 1_000 },
  )
  assert.ok(withToken > 100)
})

test('a request in several pieces, as protobuf allows, is read as a whole', () => {
  fc.assert(
    fc.property(request, request, (first, second) => {
      const pieces = [bytesOf(first), bytesOf(second)]
      const all = pieces.flatMap(bytes => [...found(bytes).authorization])
      assert.deepEqual(found(Buffer.concat(pieces)).authorization, all)
    }),
  )
})

test('random bytes are read, or refused as what they are, and nothing else', () => {
  const mutated = fc
    .tuple(request, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }), fc.nat())
    .map(([message, changes, cut]) => {
      const bytes = bytesOf(message)
      for (const [place, byte] of changes) if (bytes.length > 0) bytes[place % bytes.length] = byte
      return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
    })
  const random = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  let refused = 0
  fc.assert(
    fc.property(fc.oneof(random, mutated), bytes => {
      try {
        found(bytes)
      } catch (error) {
        assert.ok(error instanceof RescindError && error.code === 'ERR_REQUEST_INVALID', String(error))
        refused++
      }
    }),
    { numRuns: 3_000 },
  )
  assert.ok(refused > 500)
})

describe('bytes that are not protobuf are refused:', () => {
  const cases: Record<string, string> = {
    'a length beyond the end': '0aff7f',
    'a length of 2^63': '0affffffffffffffffff01',
    'a number that never ends': '80808080808080808080808001',
    'a number that breaks off': '0a80',
    'field number 0': '0000',
    'a group, which nobody uses': '0b0c',
    'wire type 7': '0f',
    'a fixed number that breaks off': '0d0000',
    'attributes that are a number': '0801',
    'a header that is longer than its request': '0a0622041202' + '1aff01',
  }
  for (const [name, hex] of Object.entries(cases)) {
    test(name, () => {
      assert.throws(
        () => readCheckRequest(Buffer.from(hex, 'hex')),
        (error: unknown) => error instanceof RescindError && error.code === 'ERR_REQUEST_INVALID',
      )
    })
  }
})

test('nothing at all is a request without headers', () => {
  assert.deepEqual(found(Buffer.alloc(0)), { authorization: [], isGrpc: false })
})

test('a header that comes twice in the map is two headers, not the last one', () => {
  const once = http({ headers: { authorization: 'Bearer a' } })
  const entry = once.subarray(once.indexOf(0x1a))
  const twice = Buffer.concat([
    Buffer.from([0x0a, entry.length * 2 + 4, 0x22, entry.length * 2 + 2, 0x12, entry.length * 2]),
    entry,
    entry,
  ])
  assert.deepEqual(readCheckRequest(twice).authorization, ['Bearer a', 'Bearer a'])
})

test('a header that is in headers and in header_map is two headers', () => {
  const bytes = http({
    headers: { authorization: 'Bearer a' },
    headerMap: { headers: [{ key: 'Authorization', rawValue: Buffer.from('Bearer b').toString('base64') }] },
  })
  assert.deepEqual(readCheckRequest(bytes).authorization, ['Bearer a', 'Bearer b'])
})

test('a header anywhere else is not a header of the request', () => {
  const bytes = bytesOf({
    attributes: {
      contextExtensions: { authorization: 'Bearer a' },
      source: { labels: { authorization: 'Bearer a' } },
      request: { http: { path: '/?authorization=Bearer+a', body: 'authorization: Bearer a' } },
    },
  })
  assert.deepEqual(readCheckRequest(bytes).authorization, [])
})

test('a megabyte of fields is read to its end', () => {
  const filler = Buffer.alloc(2 ** 20, Buffer.from('18011801', 'hex'))
  const bytes = Buffer.concat([filler, http({ headers: { authorization: 'Bearer a' } })])
  assert.deepEqual(readCheckRequest(bytes).authorization, ['Bearer a'])
})
