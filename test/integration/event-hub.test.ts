/**
 * The event hub importer on real RabbitMQ brokers: every event is in the log before it is acknowledged, whatever breaks.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { stringify } from 'yaml'
import { importersOf } from '../../cli/importer-settings.ts'
import { RescindError } from '../../revocation/error.ts'
import { opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import { type EventHubSettings, startEventHubImporter } from '../../revoker/event-hub/importer.ts'
import type { Importer } from '../../revoker/importer.ts'
import { startImporters } from '../../revoker/importers.ts'
import { createIngests, type Ingest } from '../../revoker/ingest.ts'
import { until } from '../support/condition.ts'
import { loadYaml } from '../support/config-files.ts'
import { fixture } from '../support/format-fixtures.ts'
import { type Ingesting, startIngesting } from '../support/ingesting.ts'
import { type RunningRabbitmq, rabbitmqUsers, startRabbitmq } from '../support/rabbitmq.ts'
import { requireService } from '../support/requires.ts'
import { type RevokedJwtList, startRevokedJwtList } from '../support/revoked-jwt-list.ts'

const source = 'event-hub'
const guest = { username: rabbitmqUsers.guest.username, password: rabbitmqUsers.guest.password }
const patience = { timeoutMs: 60_000 }

const tokenEvent = (jti: string): string =>
  JSON.stringify({
    event: {
      payloadData: { revokedToken: jti, expiryTime: Date.now() + 600_000, type: 'JWT', tenantId: -1234 },
    },
  })
const listed = (jti: string) => ({ jti, expiry_time: Date.now() + 600_000 })

describe('the event hub importer', requireService('rabbitmq'), () => {
  let first: RunningRabbitmq
  let second: RunningRabbitmq
  let list: RevokedJwtList
  let ingesting: Ingesting
  let ingest: Ingest
  let importer: Importer | undefined
  let queues = 0
  let queue = ''

  before(async () => {
    ;[first, second, list] = await Promise.all([startRabbitmq(), startRabbitmq(), startRevokedJwtList()])
  })
  after(() => Promise.all([first?.stop(), second?.stop(), list?.stop()]))
  beforeEach(async () => {
    queue = `rescind-${++queues}`
    list.entries = []
    await startWithEmptyLog()
  })
  afterEach(async () => {
    await stop()
    await ingesting.close()
  })

  const startWithEmptyLog = async (nowSeconds?: () => number): Promise<void> => {
    ingesting = await startIngesting(nowSeconds)
    ingest = createIngests(ingesting.options)(source)
  }
  const startWithoutWaiting = (changes: Partial<EventHubSettings>): void => {
    const settings: EventHubSettings = {
      brokers: [first.url],
      ...rabbitmqUsers.guest,
      tls: {},
      exchange: 'amq.topic',
      routingKey: 'tokenRevocation',
      queue: { name: queue, durable: true, expiresMs: 600_000 },
      prefetch: 100,
      issuers: [],
      refill: undefined,
      ...changes,
    }
    importer = startEventHubImporter({ settings, ingest, logger: ingesting.options.logger })
  }
  const start = async (changes: Partial<EventHubSettings> = {}): Promise<void> => {
    startWithoutWaiting(changes)
    await until('the queue is consumed', async () => (await first.queue(queue))?.consumers === 1, patience)
  }
  const stop = async (): Promise<void> => {
    await importer?.close()
    importer = undefined
  }
  const refill = () => ({ ...list, tls: {}, timeoutMs: 5_000 })
  const isRevoked = (jti: string) => ingesting.matches().some(match => match.jti === jti)
  const revoked = (jti: string) => until(`${jti} is revoked`, () => isRevoked(jti), patience)
  const waiting = async () => (await first.queue(queue))?.messages

  test('stores all five types of events, and acknowledges them', async () => {
    await ingesting.close()
    await startWithEmptyLog(() => 1_628_175_430)
    await start()
    const names = ['jwt', 'api-key', 'default', 'consumer-app', 'subject-user', 'subject-client']
    for (const name of names) await first.publish(fixture(`wso2-${name}`))
    const outcomes = () =>
      Promise.all([ingesting.count(source, 'published'), ingesting.count(source, 'repeated')])
    await until('all are stored', async () => (await outcomes()).reduce((a, b) => a + b) === names.length)
    assert.deepEqual(
      new Set(ingesting.matches().map(match => JSON.stringify(match))),
      new Set([
        '{"jti":"2f7c3c3e-6a0e-4b0e-9d6b-6d1d3d4f5a21"}',
        '{"jti":"8a1d5c1e-6f1b-4c9b-a7a1-9b0b7c7d1e33"}',
        JSON.stringify({ $token: opaqueFingerprint('0f1e2d3c-4b5a-3968-8776-a5b4c3d2e1f0') }),
        '{"sub":"alice@carbon.super"}',
        '{"$client":"Xz3fT0nVb2kQwL9a"}',
      ]),
    )
    assert.equal(ingesting.revocations()[0]?.actor, source)
    await stop()
    assert.equal(await waiting(), 0)
  })

  test('reads a body whatever its content type says, and only what has the routing key', async () => {
    await start()
    await first.publish(Buffer.from(tokenEvent('as-octets')))
    await first.publish(tokenEvent('as-text'))
    await first.publish(Buffer.from(tokenEvent('as-json')), { contentType: 'application/json' })
    await first.publish(tokenEvent('other'), { routingKey: 'keyManagerEvent' })
    await Promise.all(['as-octets', 'as-text', 'as-json'].map(revoked))
    assert.equal(isRevoked('other'), false)
  })

  test('acknowledges nothing that the log has refused: it is there at the next start', async () => {
    await start()
    ingesting.store.failAppends(new RescindError('ERR_LOG_UNREACHABLE', 'no connection'))
    for (const jti of ['a', 'b', 'c']) await first.publish(tokenEvent(jti))
    await until('all were tried', async () => (await ingesting.count(source, 'deferred')) >= 3)
    await stop()
    assert.equal(await waiting(), 3)
    ingesting.store.failAppends(undefined)
    await ingesting.close()
    await startWithEmptyLog()
    await start()
    await Promise.all(['a', 'b', 'c'].map(revoked))
    await stop()
    assert.equal(await waiting(), 0)
  })

  test('stores what the log refused for a while, without being restarted', async () => {
    await start()
    ingesting.store.failAppends(new RescindError('ERR_REVOCATIONS_LIMIT', 'full'))
    await first.publish(tokenEvent('late'))
    await until('it was tried', async () => (await ingesting.count(source, 'deferred')) > 0)
    ingesting.store.failAppends(undefined)
    await revoked('late')
  })

  test('skips what it cannot read, and lists it', async () => {
    await start()
    await first.publish('{"event":{"payloadData":{"type":"Unheard","revokedToken":"secret-token"}}}')
    await first.publish(tokenEvent('after'))
    await revoked('after')
    const [letter] = ingesting.deadLetters.list()
    assert.equal(letter?.problem, 'type: not known')
    assert.doesNotMatch(JSON.stringify(letter), /secret-token/)
    await stop()
    assert.equal(await waiting(), 0)
  })

  test('lists what is nested without end, or declared to be what it is not, and goes on', async () => {
    await start()
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const body of [nested, `{"event":${nested}}`, '[[', '5'])
      await first.publish(Buffer.from(body), { contentType: 'application/json' })
    await first.publish(tokenEvent('next'))
    await revoked('next')
    await until('all are listed', () => ingesting.deadLetters.total === 4)
    const problems = ingesting.deadLetters.list().map(({ problem }) => problem)
    assert.equal(problems.filter(problem => problem === 'JSON that is nested too deep').length, 2)
    await stop()
    assert.equal(await waiting(), 0)
  })

  test('uses a queue that was declared with other settings as it is, with what is in it', async () => {
    await start()
    await stop()
    await first.publish(tokenEvent('while-away'))
    await start({ queue: { name: queue, durable: true, expiresMs: 700_000 } })
    await revoked('while-away')
    assert.ok(ingesting.warnings.some(text => /declared with other settings and is used as it is/.test(text)))
  })

  test('binds what it stores to the issuers that are configured', async () => {
    await start({ issuers: ['https://a.example', 'https://b.example'] })
    await first.publish(tokenEvent('bound'))
    await until('both are there', () => ingesting.matches().length === 2)
    assert.deepEqual(
      ingesting.matches().map(({ iss }) => iss),
      ['https://a.example', 'https://b.example'],
    )
  })

  test('asks for a temporary queue where the broker refuses a durable one, and says what is lost', async () => {
    startWithoutWaiting(rabbitmqUsers.limited)
    await until('the warning', () => ingesting.warnings.some(text => /refuses a durable queue/.test(text)))
    await until('the queue is bound', async () => {
      await first.publish(tokenEvent('temporary'))
      return isRevoked('temporary')
    })
    assert.equal(await first.queue(queue), undefined)
  })

  test('gets what was published while it was away, when the broker was killed and restarted too', async () => {
    await start()
    await stop()
    await first.publish(tokenEvent('while-away'))
    await first.kill('SIGKILL')
    startWithoutWaiting({})
    await first.startAgain()
    await revoked('while-away')
    await first.publish(tokenEvent('after-restart'))
    await revoked('after-restart')
  })

  test('goes on at the second broker when the first one dies, and reads the list again', async () => {
    list.entries = [listed('listed-first')]
    await start({ brokers: [first.url, second.url], refill: refill() })
    await revoked('listed-first')
    await first.publish(tokenEvent('at-first'))
    await revoked('at-first')
    list.entries = [...list.entries, listed('missed')]
    await first.kill('SIGKILL')
    await revoked('missed')
    await second.publish(tokenEvent('at-second'))
    await revoked('at-second')
    await first.startAgain()
  })

  test('reads the list after each connect; what it knows already costs nothing', async () => {
    list.entries = [
      listed('one'),
      listed('two'),
      { jwt_signature: 'AQIDBA', expiry_time: Date.now() + 600_000 },
    ]
    await start({ refill: refill() })
    await until('the list is stored', () => ingesting.matches().length === 3)
    const reads = list.statuses.length
    list.entries = [...list.entries, listed('three'), { nothing: 'useful' }]
    await first.kill('SIGTERM')
    await first.startAgain()
    await revoked('three')
    assert.ok(list.statuses.length > reads)
    assert.equal(ingesting.matches().length, 4)
    assert.ok((await ingesting.count(source, 'repeated')) >= 3)
    assert.equal(ingesting.deadLetters.list()[0]?.position, '/internal/data/v1/revokedjwt[4]')
  })

  test('is started by the configuration', async () => {
    list.entries = [listed('listed')]
    const { url, username, password } = list
    const eventHub = {
      brokers: [first.url],
      ...guest,
      queue: { name: queue },
      refill: { url, username, password },
    }
    const imported = importersOf(loadYaml(stringify({ revoker: { eventHub } })).config)
    importer = startImporters({ ...ingesting.options, ...imported, registry: new Registry() })
    await revoked('listed')
    await first.publish(tokenEvent('published'))
    await revoked('published')
  })

  test('goes on asking for the list until it gets it, and takes messages meanwhile', async () => {
    await start({ refill: { ...refill(), password: 'wrong' } })
    await first.publish(tokenEvent('meanwhile'))
    await revoked('meanwhile')
    await until('it asked again', () => list.statuses.filter(status => status === 401).length >= 2)
    assert.ok(ingesting.warnings.some(text => /list of revoked tokens cannot be read/.test(text)))
  })
})
