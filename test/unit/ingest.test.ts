/** A message of others is in the log, or a dead letter, before it may be acknowledged. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { createDeadLetters } from '../../event-log/dead-letters.ts'
import { RescindError } from '../../revocation/error.ts'
import { createForeignReader } from '../../revoker/foreign-events.ts'
import { createIngests, type Ingest } from '../../revoker/ingest.ts'
import { until } from '../support/condition.ts'
import { fixture, fixtureJson } from '../support/format-fixtures.ts'
import { type Ingesting, longestTokenSeconds, startIngesting } from '../support/ingesting.ts'

const now = 1_628_175_430
const source = 'inbox:hr'
const issuer = 'https://idp.example.com'
const reader = createForeignReader({ formats: ['cloudevents', 'wso2-event-hub'], issuers: [issuer] })

let ingesting: Ingesting
let ingest: Ingest
beforeEach(async () => {
  ingesting = await startIngesting(() => now)
  ingest = createIngests(ingesting.options)(source)
})
afterEach(() => ingesting.close())

const take = (content: Uint8Array, signal = new AbortController().signal, sentAtSeconds?: number) =>
  ingest.take({ content, sentAtSeconds, position: 'topic/0/7', read: () => reader.read(content) }, signal)
const cloudEvent = (data: object): Buffer => {
  const event = fixtureJson('cloudevents-user')
  const { issuedBefore: _, ...rest } = event.data
  return Buffer.from(JSON.stringify({ ...event, data: { ...rest, ...data } }))
}

test('what was published is in the log once, however often it comes', async () => {
  for (let times = 0; times < 3; times++) await take(fixture('cloudevents-user'))
  assert.deepEqual(ingesting.matches(), [{ iss: issuer, sub: 'bob' }])
  const [revocation] = ingesting.revocations()
  assert.equal(revocation?.actor, source)
  assert.notEqual(revocation?.id, fixtureJson('cloudevents-user').data.id)
  assert.equal(await ingesting.count(source, 'published'), 1)
  assert.equal(await ingesting.count(source, 'repeated'), 2)
})

test('a message that cannot be used is listed without its content, counted and done with', async () => {
  const content = Buffer.from('{"token":"secret-of-somebody"}')
  await take(content)
  const [letter] = ingesting.deadLetters.list()
  assert.deepEqual(letter, {
    source,
    position: 'topic/0/7',
    at: now,
    problem: 'of no known format',
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  })
  assert.equal(await ingesting.count(source, 'rejected'), 1)
  assert.deepEqual(ingesting.matches(), [])
})

test('what the log would never take is a dead letter too', async () => {
  await take(cloudEvent({ match: { iss: issuer, sub: 'a', tenant: 't' }, expiresAt: now + 10 }))
  await take(cloudEvent({ match: { iss: issuer, sub: ['a'] }, expiresAt: now + 10 }))
  const problems = ingesting.deadLetters.list().map(({ problem }) => problem)
  assert.match(problems[0] as string, /no enforcer looks at the claims/)
  assert.match(problems[1] as string, /match\.sub: must be a string/)
})

test('as long as the log refuses, nothing is done with; then it is stored', async () => {
  ingesting.store.failAppends(new RescindError('ERR_LOG_WRITE', 'the disk is full'))
  let done = false
  const taking = take(fixture('cloudevents-user')).then(() => {
    done = true
  })
  await until('it was tried twice', async () => (await ingesting.count(source, 'deferred')) >= 2)
  assert.equal(done, false)
  assert.equal(ingesting.deadLetters.total, 0)
  ingesting.store.failAppends(undefined)
  await taking
  assert.equal(ingesting.matches().length, 1)
})

test('closing gives up what could not be stored', async () => {
  ingesting.store.failAppends(new RescindError('ERR_LOG_UNREACHABLE', 'no connection'))
  const closing = new AbortController()
  const taking = take(fixture('cloudevents-user'), closing.signal)
  await until('it was tried', async () => (await ingesting.count(source, 'deferred')) > 0)
  closing.abort()
  await assert.rejects(taking, { name: 'AbortError' })
  await assert.rejects(take(fixture('cloudevents-user'), closing.signal), { name: 'AbortError' })
})

test('a clock that is ahead revokes no more than a minute of the future', async () => {
  await take(cloudEvent({ issuedBefore: now + 1_000_000 }))
  assert.equal(ingesting.revocations()[0]?.issuedBefore, now + 60)
})

test('the cut of a clock that is ahead does not move when the message is read again', async () => {
  const { signal } = new AbortController()
  const content = cloudEvent({ issuedBefore: now + 1_000_000 })
  await take(content, signal, now - 5_000)
  await take(content, signal, now - 5_000)
  await take(cloudEvent({ match: { iss: issuer, sub: 'ahead' }, issuedBefore: now + 1e6 }), signal, now + 9)
  assert.deepEqual(
    ingesting.revocations().map(({ issuedBefore }) => issuedBefore),
    [now - 5_000 + 60, now + 60],
  )
  assert.equal(await ingesting.count(source, 'repeated'), 1)
})

test('a cut that no token can have outlived is not published any more', async () => {
  await take(cloudEvent({ issuedBefore: now - longestTokenSeconds }))
  assert.deepEqual(ingesting.matches(), [])
  assert.equal(await ingesting.count(source, 'expired'), 1)
  await take(cloudEvent({ issuedBefore: now - longestTokenSeconds + 1 }))
  assert.equal(ingesting.matches().length, 1)
})

test('what has expired is not revoked any more, and what never expires as long as a token can live', async () => {
  await take(cloudEvent({ match: { iss: issuer, jti: 'old' }, expiresAt: now }))
  await take(cloudEvent({ match: { iss: issuer, jti: 'endless' }, expiresAt: 9e15 }))
  await take(cloudEvent({ match: { iss: issuer, jti: 'endless' }, expiresAt: 9e15 }))
  await take(cloudEvent({ match: { iss: issuer, sub: 'blocked' }, expiresAt: 4_000_000_000 }))
  const revocations = ingesting.revocations()
  assert.equal(revocations.length, 2)
  for (const { expiresAt = 0 } of revocations) {
    assert.ok(expiresAt >= now + longestTokenSeconds)
    assert.ok(expiresAt < now + longestTokenSeconds + 3_600)
  }
  assert.equal(await ingesting.count(source, 'expired'), 1)
})

test('a source that does not accept a format, or whose messages are too large or too deep, refuses them', async () => {
  const hub = createForeignReader({ formats: ['wso2-event-hub'], issuers: [] })
  const refused = (content: Buffer, problem: RegExp) =>
    assert.rejects(
      hub.read(content),
      (error: unknown) =>
        error instanceof RescindError && error.code === 'ERR_EVENT_INVALID' && problem.test(error.message),
    )
  await refused(fixture('cloudevents-user'), /the format cloudevents, which is not accepted here/)
  await refused(Buffer.alloc(64 * 1024 + 1, ' '), /larger than 65536 bytes/)
  await refused(
    Buffer.from(`{"event":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
    /neither one unambiguous/,
  )
  await refused(Buffer.from('{"event":1,"event":2}'), /neither one unambiguous/)
  await refused(
    Buffer.from('eyJhbGciOiJub25lIn0.eyJldmVudHMiOnt9fQ.'),
    /format set-caep, which is not accepted/,
  )
})

test('garbage is not logged message by message', async () => {
  for (let times = 0; times < 100; times++) await take(Buffer.from('garbage'))
  assert.equal(ingesting.deadLetters.total, 100)
  assert.ok(ingesting.warnings.length < 100)
})

test('an unsigned message is never one of a signed format', async () => {
  const sets = createForeignReader({ formats: ['set-caep'], issuers: [issuer] })
  await assert.rejects(sets.read(Buffer.from('{"events":{}}')), { code: 'ERR_EVENT_INVALID' })
})

test('dead letters of one source do not push out those of another', () => {
  const letters = createDeadLetters(2)
  const facts = { at: now, problem: 'garbage' }
  letters.add({ ...facts, source: 'log', position: '1' })
  for (const position of ['a', 'b', 'c']) letters.add({ ...facts, source, position })
  letters.add({ ...facts, source: 'log', position: '2' })
  assert.deepEqual(
    letters.list().map(({ position }) => position),
    ['1', 'b', 'c', '2'],
  )
  assert.equal(letters.total, 5)
})

test('the last dead letters are kept, and all are counted', () => {
  const letters = createDeadLetters(3)
  for (let index = 0; index < 5; index++) {
    const facts = { source, at: now, bytes: 1, sha256: 'x' }
    letters.add({ ...facts, position: String(index), problem: 'y'.repeat(10_000) })
  }
  assert.equal(letters.total, 5)
  assert.deepEqual(
    letters.list().map(({ position }) => position),
    ['2', '3', '4'],
  )
  assert.equal(letters.list()[0]?.problem.length, 500)
})
