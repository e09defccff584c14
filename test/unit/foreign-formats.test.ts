/** What others publish becomes the revocations that their products would act on, and nothing more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RescindError } from '../../revocation/error.ts'
import {
  checkForeign,
  type ForeignContext,
  type ForeignRevocation,
  foreignId,
} from '../../revocation/formats/foreign-format.ts'
import { foreignFormats } from '../../revocation/formats/foreign-formats.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import { readRevokedJwt } from '../../revocation/formats/wso2-event-hub.ts'
import { opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import { fixture, fixtureJson } from '../support/format-fixtures.ts'

const none: ForeignContext = { issuers: [] }
const idp = 'https://idp.example.com/'

/** Reads a message as the format that recognises it; a signed one as its payload. */
const read = (bytes: Buffer, context: ForeignContext, signed = false): readonly ForeignRevocation[] => {
  const message = { bytes, signed, body: JSON.parse(bytes.toString()) }
  const format = foreignFormats.find(each => each.recognises(message))
  assert.ok(format !== undefined, 'not recognised')
  return format.read(message, context)
}
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const isInvalid = (problem: RegExp) => (error: unknown) =>
  error instanceof RescindError && error.code === 'ERR_EVENT_INVALID' && problem.test(error.message)

const client = { $client: 'Xz3fT0nVb2kQwL9a' }
const wso2: readonly [name: string, revocation: ForeignRevocation][] = [
  [
    'wso2-jwt',
    { match: { jti: '2f7c3c3e-6a0e-4b0e-9d6b-6d1d3d4f5a21' }, expiresAt: 4_102_444_800, tokenType: 'JWT' },
  ],
  [
    'wso2-api-key',
    { match: { jti: '8a1d5c1e-6f1b-4c9b-a7a1-9b0b7c7d1e33' }, expiresAt: 4_102_444_800, tokenType: 'APIKey' },
  ],
  [
    'wso2-default',
    {
      match: { $token: opaqueFingerprint('0f1e2d3c-4b5a-3968-8776-a5b4c3d2e1f0') },
      expiresAt: 4_102_444_800,
      tokenType: 'Default',
    },
  ],
  ['wso2-consumer-app', { match: client, issuedBefore: 1_628_175_420 }],
  ['wso2-subject-user', { match: { sub: 'alice@carbon.super' }, issuedBefore: 1_628_175_421 }],
  ['wso2-subject-client', { match: client, issuedBefore: 1_628_175_421 }],
]
for (const [name, revocation] of wso2) {
  test(`the event ${name} of the WSO2 event hub revokes for every issuer, or for those that it may speak for`, () => {
    assert.deepEqual(read(fixture(name), none), [revocation])
    assert.deepEqual(read(fixture(name), { issuers: ['a', 'b'] }), [
      { ...revocation, match: { iss: 'a', ...revocation.match } },
      { ...revocation, match: { iss: 'b', ...revocation.match } },
    ])
  })
}

test('a token is rejected exactly when WSO2 would: revocationTime > iat, in milliseconds', () => {
  fc.assert(
    fc.property(fc.nat(5_000), fc.integer({ min: 1, max: 5_000_000 }), (iat, revocationTime) => {
      const inner = Buffer.from(JSON.stringify({ consumerKey: 'c', revocationTime })).toString('base64')
      const payloadData = { type: 'consumer_app_revocation_event', revokedToken: inner }
      const [revocation] = read(json({ event: { payloadData } }), none)
      assert.equal(iat <= (revocation?.issuedBefore ?? Number.NaN), revocationTime > iat * 1_000)
    }),
  )
})

test('an event inside an event is read as strictly as the one around it', () => {
  const inner = (text: string, encoding: BufferEncoding = 'base64') =>
    read(
      json({
        event: {
          payloadData: {
            type: 'consumer_app_revocation_event',
            revokedToken: Buffer.from(text).toString(encoding),
          },
        },
      }),
      none,
    )
  const event = '"consumerKey":"c","revocationTime":2000'
  assert.deepEqual(inner(`{${event}}`), [{ match: { $client: 'c' }, issuedBefore: 1 }])
  const deep = `{${event},"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  for (const text of [`{${event},"consumerKey":"d"}`, deep, '[]', 'null', ''])
    assert.throws(() => inner(text), isInvalid(/^revokedToken: not /))
  assert.throws(() => inner(`{${event}}`, 'utf8'), isInvalid(/^revokedToken: not one unambiguous/))
})

test("the event hub's list has JWTs by jti or by signature, whatever its spelling", () => {
  const [byJti, bySignature] = fixtureJson('wso2-revoked-jwts')
  assert.deepEqual(readRevokedJwt(byJti, none), [
    { match: { jti: '2f7c3c3e-6a0e-4b0e-9d6b-6d1d3d4f5a21' }, expiresAt: 4_102_444_800 },
  ])
  const $signature = Buffer.from([1, 2, 3, 4]).toString('base64url')
  const expected = [{ match: { $signature }, expiresAt: 4_102_444_800 }]
  assert.deepEqual(readRevokedJwt(bySignature, { issuers: ['a'] }), expected)
  // The last four bits carry nothing.
  assert.deepEqual(readRevokedJwt({ ...bySignature, jwt_signature: 'AQIDBP' }, none), expected)
  assert.throws(() => readRevokedJwt({ expiry_time: 5 }, none), isInvalid(/^jwt_signature: not a text/))
})

const sets: readonly [name: string, revocation: ForeignRevocation][] = [
  ['set-user', { match: { iss: idp, sub: 'dMTlD|1600802906337.16' }, issuedBefore: 1_615_304_991 }],
  ['set-session', { match: { iss: idp, sid: 'dMTlD|16008.16' }, issuedBefore: 1_615_304_991 }],
  ['set-opaque-early-draft', { match: { iss: idp, sub: 'user-17' }, issuedBefore: 1_615_304_991 }],
]
for (const [name, revocation] of sets) {
  test(`the security event token ${name} revokes what its subject says, before the event`, () => {
    assert.deepEqual(read(fixture(name), { issuers: [idp] }, true), [revocation])
  })
}

test('a security event token without event_timestamp counts from toe, else from its iat', () => {
  const body = fixtureJson('set-user')
  const event = Object.values(body.events)[0] as Record<string, unknown>
  delete event.event_timestamp
  const issuedBefore = (value: object) => read(json(value), { issuers: [idp] }, true)[0]?.issuedBefore
  assert.equal(issuedBefore({ ...body, toe: 1_615_300_000 }), 1_615_300_000)
  assert.equal(issuedBefore(body), 1_615_305_159)
})

test('a security event token is refused when it is not known whose tokens it means', () => {
  const two = { issuers: [idp, 'https://other.example'] }
  assert.throws(() => read(fixture('set-opaque-early-draft'), two, true), isInvalid(/more than one issuer/))
  assert.throws(
    () => read(fixture('set-device'), { issuers: [idp] }, true),
    isInvalid(/neither a session nor/),
  )
  const email = { ...fixtureJson('set-user'), sub_id: { format: 'email', email: 'a@b.example' } }
  assert.throws(() => read(json(email), { issuers: [idp] }, true), isInvalid(/^subject\.format/))
})

test('nothing unsigned is taken for a security event token', () => {
  const body = fixtureJson('set-user')
  const recognised = foreignFormats.filter(each =>
    each.recognises({ bytes: json(body), signed: false, body }),
  )
  assert.deepEqual(recognised, [])
})

test('a revocation in our own format keeps what it says, but not its id', () => {
  assert.deepEqual(read(fixture('cloudevents-user'), { issuers: ['https://idp.example.com'] }), [
    {
      match: { iss: 'https://idp.example.com', sub: 'bob' },
      issuedBefore: 1_628_175_421,
      reason: 'left the company',
    },
  ])
})

test('an event in our own format needs the HMAC that a key asks for', () => {
  const event = fixtureJson('cloudevents-user').data
  const eventKey = 'key-of-the-hr-department'
  const signed = createEventCodec(eventKey).encode({ kind: 'revocation', ...event })
  assert.equal(read(signed, { issuers: [], eventKey }).length, 1)
  assert.throws(() => read(fixture('cloudevents-user'), { issuers: [], eventKey }), isInvalid(/no HMAC/))
})

test('our other events cannot come from outside', () => {
  const codec = createEventCodec()
  const hex = '0'.repeat(32)
  const events = [
    { kind: 'restoration', id: hex, target: hex, key: hex, expiresAt: 9, restoredAt: 1 },
    { kind: 'claim-set', names: ['tenant'], cut: false },
    { kind: 'token-lifetime', seconds: 1, declaredAt: 1 },
    { kind: 'beat', epoch: hex, founding: true, at: 1 },
  ] as const
  for (const event of events) {
    assert.throws(() => read(codec.encode(event), none), isInvalid(new RegExp(`^a ${event.kind} cannot`)))
  }
})

test('only single tokens, users, clients and sessions can be revoked, of issuers that the sender may speak for', () => {
  const refused = (match: ForeignRevocation['match'], context: ForeignContext = { issuers: ['a'] }) =>
    assert.throws(() => checkForeign({ match, expiresAt: 1 }, context), isInvalid(/^match/))
  refused({ iss: 'a' })
  refused({ iss: 'a', $kid: 'k' })
  refused({ iss: 'a', sub: 's', $kid: 'k' })
  refused({ iss: 'a', tenant: 't' })
  refused({ iss: 'b', sub: 's' })
  refused({ sub: 's' })
  refused({ iss: 'a', sub: 's' }, none)
  for (const name of ['jti', '$token', 'sub', 'sid', '$client']) {
    checkForeign({ match: { iss: 'a', [name]: 'x' }, expiresAt: 1 }, { issuers: ['a'] })
    checkForeign({ match: { [name]: 'x' }, expiresAt: 1 }, none)
  }
})

test('an id is that of source, key and issuedBefore, so that a repeat is the same revocation', () => {
  const cut = { match: { sub: 'a' }, issuedBefore: 5 }
  const id = foreignId('inbox:hr', cut)
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.equal(foreignId('inbox:hr', { ...cut, reason: 'again' }), id)
  const others = [
    foreignId('inbox:other', cut),
    foreignId('inbox:hr', { ...cut, issuedBefore: 6 }),
    foreignId('inbox:hr', { match: { sub: 'b' }, issuedBefore: 5 }),
    foreignId('inbox:hr', { match: { sub: 'a' }, expiresAt: 5 }),
  ]
  assert.equal(new Set([id, ...others]).size, 5)
})

test('whatever a message holds, it is read or refused with a reason', () => {
  const names = [...wso2.map(([name]) => name), ...sets.map(([name]) => name), 'cloudevents-user']
  const message = fc
    .record({
      name: fc.constantFrom(...names),
      path: fc.array(fc.nat(), { maxLength: 6 }),
      value: fc.jsonValue(),
    })
    .map(({ name, path, value }) => ({ name, body: changed(fixtureJson(name), path, value) }))
  fc.assert(
    fc.property(message, fc.boolean(), ({ body }, signed) => {
      for (const format of foreignFormats) {
        const given = { bytes: json(body), signed, body: body as Record<string, unknown> }
        if (typeof body !== 'object' || body === null || !format.recognises(given)) continue
        try {
          for (const revocation of format.read(given, { issuers: [idp] })) checkForeign(revocation, none)
        } catch (error) {
          assert.ok(error instanceof RescindError, String(error))
        }
      }
    }),
    { numRuns: 2_000 },
  )
})

/** Puts a value somewhere into a message; base64 JSON inside is left alone. */
const changed = (target: unknown, path: readonly number[], value: unknown): unknown => {
  const [step, ...rest] = path
  if (step === undefined || typeof target !== 'object' || target === null) return value
  const keys = Object.keys(target)
  const key = keys[step % Math.max(1, keys.length)] ?? 'x'
  const copy: Record<string, unknown> = { ...target }
  copy[key] = changed(copy[key], rest, value)
  return copy
}
