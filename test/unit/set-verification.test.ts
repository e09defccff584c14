/** A security event token counts only if a configured transmitter signed it, for us, and only for its own issuers. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { sessionRevoked } from '../../revocation/formats/set-caep.ts'
import { createForeignReader, type ForeignReader } from '../../revoker/foreign-events.ts'
import { createSetVerifier, type SetVerifier, type Transmitter } from '../../revoker/set-verification.ts'
import type { Timing } from '../../token/timing.ts'
import { until } from '../support/condition.ts'
import { createTestIssuer, type SignOptions, type TestIssuer } from '../support/issuer.ts'
import { createErrorLogger } from '../support/published-log.ts'
import { createManualTiming } from '../support/token-issuer.ts'

const audience = 'https://sp.example.com/caep'
const now = Math.floor(Date.now() / 1_000)

let idp: TestIssuer
let sets: SetVerifier
let reader: ForeignReader
beforeEach(async () => {
  idp = await createTestIssuer()
  open([idp.issuer])
})
afterEach(async () => {
  sets.close()
  await idp.stop()
})

const open = (issuers: readonly string[], timing?: Timing): void => {
  sets?.close()
  const transmitter: Transmitter = {
    issuer: idp.issuer,
    jwksUri: idp.jwksUri,
    audiences: [audience],
    issuers,
  }
  sets = createSetVerifier([transmitter], createErrorLogger().logger, timing)
  reader = createForeignReader({ formats: ['set-caep'], issuers: ['https://not.asked'], sets })
}
const subject = (iss: string) => ({ format: 'iss_sub', iss, sub: 'alice' })
const set = async (claims: object = {}, options: SignOptions = {}): Promise<Buffer> => {
  const unneeded = { exp: undefined, sub: undefined }
  const events = { [sessionRevoked]: { event_timestamp: now } }
  const body = { aud: audience, sub_id: subject(idp.issuer), events, ...unneeded, ...claims }
  return Buffer.from(await idp.sign(body, { ...options, header: { typ: 'secevent+jwt', ...options.header } }))
}
const refused = async (content: Buffer, problem: RegExp) =>
  assert.rejects(reader.read(content), (error: unknown) => {
    assert.ok(error instanceof RescindError && error.code === 'ERR_EVENT_INVALID', String(error))
    assert.match(error.message, problem)
    return true
  })

test('one that a transmitter signed revokes what it says, by any of its algorithms', async () => {
  const expected = [{ match: { iss: idp.issuer, sub: 'alice' }, issuedBefore: now }]
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    assert.deepEqual(await reader.read(await set({}, { alg })), expected)
  }
  assert.deepEqual(
    await reader.read(await set({}, { header: { typ: 'application/secevent+jwt' } })),
    expected,
  )
  assert.deepEqual(await reader.read(Buffer.concat([await set(), Buffer.from('\n')])), expected)
})

test('one that nobody, or somebody else, signed is refused', async () => {
  const other = await createTestIssuer()
  try {
    const forged = await other.sign(
      { iss: idp.issuer, aud: audience, events: {} },
      { header: { typ: 'secevent+jwt' } },
    )
    await refused(Buffer.from(forged), /signature is not the transmitter's/)
  } finally {
    await other.stop()
  }
  await refused(await set({}, { alg: 'none' }), /alg is not allowed/)
  await refused(await set({}, { alg: 'HS256' }), /alg is not allowed/)
  const text = (await set()).toString()
  const [header, , signature] = text.split('.')
  const payload = Buffer.from(JSON.stringify({ iss: idp.issuer, aud: audience, events: {} })).toString(
    'base64url',
  )
  await refused(Buffer.from(`${header}.${payload}.${signature}`), /bad_signature/)
})

test('one of another sender, for another receiver, or that is an access token is refused', async () => {
  await refused(await set({ iss: 'https://other.example' }), /iss is not a configured transmitter/)
  await refused(await set({ iss: [idp.issuer] }), /iss is not a configured transmitter/)
  await refused(await set({ aud: 'https://other.example' }), /aud is not for us/)
  await refused(await set({ aud: undefined }), /aud is not for us/)
  await refused(await set({}, { header: { typ: 'at+jwt' } }), /typ is not secevent\+jwt/)
  await refused(await set({ events: { 'urn:other': {} } }), /session-revoked: not an object/)
})

test('a transmitter can only revoke tokens of its own issuers, whatever the inbox may', async () => {
  await refused(await set({ sub_id: subject('https://not.asked') }), /may speak for/)
  open(['https://a.example'])
  await refused(await set(), /may speak for/)
  const [revocation] = await reader.read(await set({ sub_id: subject('https://a.example') }))
  assert.deepEqual(revocation?.match, { iss: 'https://a.example', sub: 'alice' })
  const opaque = await set({ sub_id: { format: 'opaque', id: 'bob' } })
  assert.deepEqual((await reader.read(opaque))[0]?.match, { iss: 'https://a.example', sub: 'bob' })
})

test('as long as the keys are not known nothing is decided', async () => {
  idp.broken = true
  open([idp.issuer])
  const content = await set()
  await assert.rejects(reader.read(content), { code: 'ERR_REQUEST_FAILED' })
  idp.broken = false
  await until('it is read', async () => (await reader.read(content)).length === 1)
})

test('one that was signed before the keys changed is still genuine', async () => {
  const content = await set()
  await reader.read(content)
  await idp.rotate()
  await reader.read(await set())
  assert.equal((await reader.read(content)).length, 1)
})

test('one that is signed with a new key is not lost, though the keys were fetched a moment ago', async () => {
  const timing = createManualTiming()
  open([idp.issuer], timing)
  await reader.read(await set())
  await refused(await set({}, { kid: 'forged' }), /unknown_key/)
  const requests = idp.requests
  await idp.rotate()
  const reading = reader.read(await set())
  await until('it waits', () => timing.pendingDelaysMs().includes(1_000))
  assert.equal(idp.requests, requests)
  timing.advance(1_000)
  assert.equal((await reading).length, 1)
  assert.equal(idp.requests, requests + 1)
})

test('many with unknown keys share one fetch', async () => {
  const timing = createManualTiming()
  open([idp.issuer], timing)
  await reader.read(await set())
  const requests = idp.requests
  const forged = await Promise.all(
    Array.from({ length: 50 }, (_, index) => set({}, { kid: `forged-${index}` })),
  )
  await Promise.all(forged.map(content => refused(content, /unknown_key/)))
  assert.equal(idp.requests, requests + 1)
})

test('while the keys cannot be fetched, one with an unknown key waits half a minute at most, and others do not', async () => {
  const timing = createManualTiming()
  open([idp.issuer], timing)
  const genuine = await set()
  const [forged, withoutKid] = [await set({}, { kid: 'forged' }), await set({ aud: 'x' }, { kid: null })]
  assert.equal((await reader.read(genuine)).length, 1)
  idp.broken = true
  await assert.rejects(reader.read(forged), { code: 'ERR_REQUEST_FAILED' })
  timing.advance(30_001)
  for (let times = 0; times < 3; times++) await refused(forged, /unknown key, and no keys could be fetched/)
  assert.equal((await reader.read(genuine)).length, 1)
  await refused(withoutKid, /aud is not for us/)
})
