/**
 * What every inbox must do, as tests, whatever it reads from.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import type { TokenRegistry } from '../../revoker/grants/token-registry.ts'
import type { Importer } from '../../revoker/importer.ts'
import { type InboxSettings, startInbox } from '../../revoker/inbox/inbox.ts'
import { createIngests, type Ingest } from '../../revoker/ingest.ts'
import { until } from './condition.ts'
import { type Ingesting, startIngesting } from './ingesting.ts'

/** A topic or stream that a test owns. */
export interface InboxUnderTest {
  readonly from: InboxSettings['from']
  send(messages: readonly (string | Buffer)[]): Promise<void>
  /** How many messages the group has not acknowledged, those that it has not read included. */
  unacknowledged(): Promise<number>
}

/** An inbox that is being tested, and what came of it. */
export interface InboxTest {
  readonly inbox: InboxUnderTest
  readonly ingesting: Ingesting
  start(changes?: Partial<InboxSettings>, registry?: TokenRegistry): void
  stop(): Promise<void>
  /** Ends what runs and begins with an empty log. */
  startWithEmptyLog(): Promise<void>
  revoked(...jtis: readonly string[]): Promise<void>
}

/** The issuer that inboxes of tests may speak for. */
export const inboxIssuer = 'https://idp.example.com'

/** The source under which tests find what came from an inbox. */
export const inboxSource = 'inbox:test'

const patience = { timeoutMs: 60_000 }
const codec = createEventCodec()
const hex = '0123456789abcdef'.repeat(2)
const encode = (event: LogEvent): Buffer => codec.encode(event)

/** The revocation of a token, as somebody else publishes it. */
export const tokenMessage = (jti: string): Buffer =>
  encode({
    kind: 'revocation',
    id: randomUUID().replaceAll('-', ''),
    match: { iss: inboxIssuer, jti },
    expiresAt: Math.floor(Date.now() / 1_000) + 600,
    revokedAt: 1,
  })

const forbidden = (): readonly Buffer[] => {
  const now = Math.floor(Date.now() / 1_000)
  const revocation = (match: Readonly<Record<string, string>>) =>
    encode({ kind: 'revocation', id: hex, match, issuedBefore: now, revokedAt: now })
  return [
    encode({ kind: 'restoration', id: hex, target: hex, key: hex, expiresAt: now + 60, restoredAt: now }),
    encode({ kind: 'claim-set', names: ['tenant'], cut: false }),
    encode({ kind: 'token-lifetime', seconds: 9e9, declaredAt: now }),
    revocation({ iss: inboxIssuer }),
    revocation({ iss: inboxIssuer, $kid: 'key-1' }),
    revocation({ iss: 'https://other.example', sub: 'a' }),
    revocation({ sub: 'a' }),
    Buffer.from('not JSON'),
    Buffer.alloc(70_000, 'x'),
  ]
}

/** Adds the tests; gives what further tests of the same kind of inbox work with. */
export const testInbox = (create: () => Promise<InboxUnderTest>): InboxTest => {
  let inbox: InboxUnderTest
  let ingesting: Ingesting
  let ingest: Ingest
  let importer: Importer | undefined

  const begin = async (): Promise<void> => {
    ingesting = await startIngesting()
    ingest = createIngests(ingesting.options)(inboxSource)
  }
  const stop = async (): Promise<void> => {
    await importer?.close()
    importer = undefined
  }
  const start = (changes: Partial<InboxSettings> = {}, registry?: TokenRegistry): void => {
    const settings: InboxSettings = {
      name: 'test',
      from: inbox.from,
      formats: ['cloudevents'],
      issuers: [inboxIssuer],
      key: undefined,
      transmitters: [],
      ...changes,
    }
    importer = startInbox(settings, ingest, ingesting.options.logger, registry)
  }
  const revoked = async (...jtis: readonly string[]): Promise<void> => {
    const missing = () => {
      const known = new Set(ingesting.matches().map(({ jti }) => jti))
      return jtis.filter(jti => !known.has(jti))
    }
    await until(`${jtis.length} tokens are revoked`, () => missing().length === 0, patience)
  }
  const allAcknowledged = () =>
    until('all is acknowledged', async () => (await inbox.unacknowledged()) === 0, patience)

  beforeEach(async () => {
    inbox = await create()
    await begin()
  })
  afterEach(async () => {
    await stop()
    await ingesting.close()
  })

  test('stores what was published before and after it started, and acknowledges it', async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `token-${index}`)
    await inbox.send(names.slice(0, 1_500).map(tokenMessage))
    start()
    await inbox.send(names.slice(1_500).map(tokenMessage))
    await revoked(...names)
    assert.equal(ingesting.matches().length, names.length)
    assert.equal(ingesting.revocations()[0]?.actor, inboxSource)
    await allAcknowledged()
  })

  test('acknowledges nothing that the log refuses; the next process stores it', async () => {
    ingesting.store.failAppends(new RescindError('ERR_LOG_UNREACHABLE', 'no connection'))
    start()
    await inbox.send(['a', 'b', 'c'].map(tokenMessage))
    await until('all were tried', async () => (await ingesting.count(inboxSource, 'deferred')) >= 3, patience)
    await stop()
    assert.equal(await inbox.unacknowledged(), 3)
    await ingesting.close()
    await begin()
    start()
    await revoked('a', 'b', 'c')
    await allAcknowledged()
  })

  test('stores what the log refused for a while, in the same process', async () => {
    ingesting.store.failAppends(new RescindError('ERR_OVERLOADED', 'too much'))
    start()
    await inbox.send([tokenMessage('late')])
    await until('it was tried', async () => (await ingesting.count(inboxSource, 'deferred')) >= 2, patience)
    ingesting.store.failAppends(undefined)
    await revoked('late')
    await allAcknowledged()
  })

  test('what comes again is the same revocation', async () => {
    const message = tokenMessage('again')
    await inbox.send([message, message])
    start()
    await revoked('again')
    await allAcknowledged()
    await inbox.send([message, tokenMessage('again'), tokenMessage('last')])
    await revoked('last')
    await allAcknowledged()
    assert.equal(new Set(ingesting.revocations().map(({ id }) => id)).size, 2)
    assert.deepEqual(new Set(ingesting.matches().map(({ jti }) => jti)), new Set(['again', 'last']))
  })

  test('skips what may not come this way: restoring, declaring, issuers, keys, other issuers, garbage', async () => {
    const messages = forbidden()
    start()
    await inbox.send([...messages, tokenMessage('allowed')])
    await revoked('allowed')
    await allAcknowledged()
    assert.equal(ingesting.deadLetters.total, messages.length)
    assert.equal(ingesting.store.entries.length, 1)
  })

  return {
    get inbox() {
      return inbox
    },
    get ingesting() {
      return ingesting
    },
    start,
    stop,
    startWithEmptyLog: async () => {
      await stop()
      await ingesting.close()
      await begin()
    },
    revoked,
  }
}
