/** Events of issued tokens: which are taken, of whom, and that they are done with only when they are stored. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { Registry } from 'prom-client'
import { createForeignReader } from '../../revoker/foreign-events.ts'
import type { GrantStore } from '../../revoker/grants/grant-store.ts'
import { tokensIssuedFormat } from '../../revoker/grants/issued-events.ts'
import { createTokenRegistry, type TokenRegistry } from '../../revoker/grants/token-registry.ts'
import { createIngests } from '../../revoker/ingest.ts'
import { newFolder } from '../support/embedded-log.ts'
import { nowSeconds, openGrantsIn } from '../support/grant-stores.ts'
import { type Ingesting, longestTokenSeconds, startIngesting } from '../support/ingesting.ts'
import { projectRoot } from '../support/project.ts'

const issuer = 'https://idp.example.com'
const issued = (token: string, changes: object = {}) => ({
  issuer,
  clientId: 'shop',
  accessToken: { token },
  refreshToken: { token: 'refresh' },
  ...changes,
})
const eventOf = (data: unknown, changes: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ specversion: '1.0', type: 'io.rescind.tokens-issued.v1', id: '1', data, ...changes }),
  )

let folder = ''
let store: GrantStore
let registry: TokenRegistry
let ingesting: Ingesting
beforeEach(async () => {
  folder = await newFolder()
  store = await openGrantsIn(folder)
  ingesting = await startIngesting()
  registry = createTokenRegistry({
    store,
    publish: ingesting.options.publish,
    nowSeconds,
    longestTokenSeconds: () => longestTokenSeconds,
    onRefused: () => undefined,
  })
})
afterEach(async () => {
  await ingesting.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** Takes a message as an inbox does; resolves when it may be acknowledged. */
const take = async (
  content: Buffer,
  { formats = ['tokens-issued'], eventKey }: { formats?: readonly string[]; eventKey?: string } = {},
): Promise<void> => {
  const furtherFormats = [tokensIssuedFormat(registry, 'inbox:test')]
  const reader = createForeignReader({ formats, furtherFormats, issuers: [issuer], eventKey })
  const ingest = createIngests({ ...ingesting.options, registry: new Registry() })('inbox:test')
  const message = { content, position: '1', read: () => reader.read(content) }
  await ingest.take(message, new AbortController().signal)
}
const isKnown = async (token: string): Promise<boolean> =>
  (await registry.find(token, undefined)) !== undefined
const problems = (): readonly string[] => ingesting.deadLetters.list().map(({ problem }) => problem)

test('one report or a list of them is stored, and revokes nothing', async () => {
  await take(eventOf(issued('one')))
  await take(eventOf([issued('two'), issued('three')]))
  for (const token of ['one', 'two', 'three']) assert.equal(await isKnown(token), true)
  assert.deepEqual([problems(), ingesting.matches()], [[], []])
})

test('a token that was issued to a revoked grant is in the log before its event is done with', async () => {
  await take(eventOf(issued('one')))
  const found = await registry.find('refresh', 'refresh_token')
  assert.ok(found !== undefined)
  await registry.markRevoked(found)
  await take(eventOf(issued('late')))
  const [revocation] = ingesting.revocations()
  assert.deepEqual([revocation?.match.iss, revocation?.actor], [issuer, 'inbox:test'])
})

test('what is malformed, of another issuer or of the grant of another client is a dead letter', async () => {
  await take(eventOf(issued('mine', { grantId: 'g' })))
  const wrong = [
    eventOf({}),
    eventOf(undefined),
    eventOf(issued('', {})),
    eventOf(issued('x', { extra: 1 })),
    eventOf(Array(101).fill(issued('x'))),
    eventOf(issued('x'), { specversion: '2.0' }),
    eventOf(issued('x', { issuer: 'https://other.example' })),
    eventOf(issued('x', { grantId: 'g', clientId: 'other' })),
  ]
  for (const event of wrong) await take(event)
  assert.equal(problems().length, wrong.length)
  assert.equal(await isKnown('x'), false)
})

test('only an inbox that accepts the format takes it', async () => {
  await take(eventOf(issued('one')), { formats: ['cloudevents'] })
  assert.deepEqual(problems(), ['of the format tokens-issued, which is not accepted here'])
  assert.equal(await isKnown('one'), false)
})

test('with a key of the inbox an event needs its HMAC', async () => {
  const eventKey = 'a key of at least sixteen'
  const plain = eventOf(issued('one'))
  const head = plain.subarray(0, -1)
  const signed = (key: string) => {
    const hmac = createHmac('sha256', key).update(plain).digest('base64url')
    return Buffer.concat([head, Buffer.from(`,"hmac":"${hmac}"}`)])
  }
  await take(plain, { eventKey })
  await take(signed('another key of sixteen'), { eventKey })
  assert.deepEqual([problems().length, await isKnown('one')], [2, false])
  await take(signed(eventKey), { eventKey })
  assert.equal(await isKnown('one'), true)
})

test('the event and the report of docs/revoker.md are taken', async () => {
  const document = readFileSync(join(projectRoot, 'docs', 'revoker.md'), 'utf8')
  const [, event = ''] = /```json\n(.*?)```/s.exec(document) ?? []
  const [, body = ''] = /-d '(.*?)'/s.exec(document) ?? []
  await take(Buffer.from(event))
  await take(eventOf(JSON.parse(body)))
  assert.deepEqual(problems(), [])
  const found = await registry.find('9c0d7a52-7f6e-3b0c-a2d1-5e4f3a2b1c0d', 'refresh_token')
  assert.deepEqual([found?.clientId, found?.subject], ['shop-frontend', 'alice'])
})
