/** How what was left open is published, and what is not published any more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import type { NewRevocation, Published, Publisher } from '../../revoker/publisher.ts'
import { createFlights } from '../../revoker/relay/flights.ts'
import type { Intent, Intents } from '../../revoker/relay/intents.ts'
import { newIntent, startSettlement } from '../../revoker/relay/settlement.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

const now = 10_000
const match = { iss: 'https://op', jti: 'j' }
const intentWith = (change: Partial<Intent>): Intent => ({
  ...newIntent(now - 100, 'app'),
  proven: true,
  ...change,
})
const block = (expiresAt?: number) => ({ match, expiresAt, cut: false, tokenType: 'JWT' })
const cut = { match: { iss: 'https://op', sub: 'alice' }, cut: true, tokenType: 'JWT' }

const start = async (t: { after(end: () => Promise<void>): void }) => {
  const published: NewRevocation[][] = []
  const removed: string[] = []
  const failure: { error?: RescindError } = {}
  const publishAll: Publisher['publishAll'] = async revocations => {
    if (failure.error !== undefined) throw failure.error
    published.push([...revocations])
    return { each: [], position: published.length, isByJti: false }
  }
  const intents: Intents = {
    get: () => undefined,
    put: async () => undefined,
    remove: async token => {
      removed.push(token)
    },
    list: () => [],
    size: 0,
    close: async () => undefined,
  }
  const options = {
    intents,
    publisher: { publishAll, publish: () => Promise.reject<Published>(new Error('not used')) },
    longestTokenSeconds: () => 600,
    graceSeconds: 60,
    timeoutSeconds: 5,
    nowSeconds: () => now,
    logger: createKeptLogger().logger,
  }
  const settlement = await startSettlement(options, createFlights(10))
  t.after(() => settlement.close())
  return { settlement, published, removed, failure }
}

test('what is published twice for one intent has the same ids', async t => {
  const { settlement, published } = await start(t)
  const intent = intentWith({ taken: [block(now + 60), cut] })
  await settlement.settle('key', intent)
  await settlement.settle('key', intent)
  await settlement.settle('key', { ...intent, id: 'another' })
  const ids = published.map(revocations => revocations.map(({ id }) => id))
  assert.deepEqual(ids[0], ids[1])
  assert.notDeepEqual(ids[0], ids[2])
  assert.match(String(ids[0]?.[0]), /^[0-9a-f]{32}$/)
})

test('a cut reaches to when the identity provider answered, and its margin beyond', async t => {
  const { settlement, published } = await start(t)
  await settlement.settle('key', intentWith({ taken: [cut] }))
  assert.equal(published[0]?.[0]?.issuedBefore, now - 100 + 2)
})

test('a token that does not say when it expires is revoked for as long as any may live', async t => {
  const { settlement, published } = await start(t)
  await settlement.settle('key', intentWith({ taken: [block()] }))
  assert.equal(published[0]?.[0]?.expiresAt, now - 100 + 600 + 60)
})

test('a token is revoked until it expires, also if the clock of its issuer was ahead; none longer than any is accepted', async t => {
  const { settlement, published } = await start(t)
  const ends = [now - 100 + 600, now - 100 + 659, now * 1_000]
  await settlement.settle('key', intentWith({ taken: ends.map(block) }))
  assert.deepEqual(
    published[0]?.map(({ expiresAt }) => expiresAt),
    [now + 500, now + 559, now + 560],
  )
})

test('a token that is expired everywhere is not published, and nothing stays open', async t => {
  const { settlement, published, removed } = await start(t)
  assert.equal(await settlement.settle('key', intentWith({ taken: [block(now - 60)] })), undefined)
  assert.deepEqual([published, removed], [[], ['key']])
})

test('what cannot be published stays', async t => {
  const { settlement, removed, failure } = await start(t)
  failure.error = new RescindError('ERR_LOG_UNREACHABLE', 'away')
  await assert.rejects(settlement.settle('key', intentWith({ taken: [cut] })))
  assert.deepEqual(removed, [])
})
