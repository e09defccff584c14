/**
 * Inboxes that are Redis streams, on a real Redis.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { stringify } from 'yaml'
import { importersOf } from '../../cli/importer-settings.ts'
import { createTokenRegistry } from '../../revoker/grants/token-registry.ts'
import { startImporters } from '../../revoker/importers.ts'
import { parseRedisUrl } from '../../runtime/config/redis-url.ts'
import { until } from '../support/condition.ts'
import { loadYaml } from '../support/config-files.ts'
import { nowSeconds, openGrantsAt } from '../support/grant-stores.ts'
import {
  type InboxUnderTest,
  inboxIssuer,
  inboxSource,
  testInbox,
  tokenMessage,
} from '../support/inbox-suite.ts'
import { longestTokenSeconds } from '../support/ingesting.ts'
import { projectRoot } from '../support/project.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'

const group = 'rescind'

describe('an inbox on a Redis stream', requireService('redis'), () => {
  let redis: RunningRedis
  let client: Redis
  let streams = 0
  let stream = ''
  before(async () => {
    redis = await startRedis({ persistence: 'always' })
    client = new Redis(redis.url)
    client.on('error', () => undefined)
  })
  after(async () => {
    client?.disconnect()
    await redis?.stop()
  })

  const send = async (messages: readonly (string | Buffer)[]): Promise<void> => {
    await Promise.all(messages.map(message => client.xadd(stream, '*', 'event', message)))
  }
  const unacknowledged = async (): Promise<number> => {
    const fields = (await client.call('XINFO', 'GROUPS', stream)) as (string | number | null)[][]
    const figure = (name: string) => Number(fields[0]?.[(fields[0]?.indexOf(name) ?? 0) + 1])
    return figure('pending') + figure('lag')
  }
  const create = async (): Promise<InboxUnderTest> => {
    stream = `inbox-${++streams}`
    return {
      from: { redis: { setting: 'test', url: parseRedisUrl(redis.url), stream, group } },
      send,
      unacknowledged,
    }
  }
  const inbox = testInbox(create)

  test('takes over what another consumer has read and not acknowledged for a minute', async () => {
    await client.xgroup('CREATE', stream, group, '0', 'MKSTREAM')
    await send(['a', 'b'].map(tokenMessage))
    await client.xreadgroup('GROUP', group, 'dead', 'COUNT', 10, 'STREAMS', stream, '>')
    for (const [id] of await client.xrange(stream, '-', '+')) {
      await client.xclaim(stream, group, 'dead', 0, id, 'IDLE', 120_000)
    }
    inbox.start()
    await inbox.revoked('a', 'b')
    await until('all is acknowledged', async () => (await unacknowledged()) === 0)
  })

  test('goes on when Redis was killed and restarted, and when it lost the group', async () => {
    inbox.start()
    await send([tokenMessage('before')])
    await inbox.revoked('before')
    await redis.kill('SIGKILL')
    await redis.startAgain()
    await until('Redis answers', () => client.ping())
    await send([tokenMessage('after-restart')])
    await inbox.revoked('after-restart')
    await client.flushall()
    await send([tokenMessage('after-loss')])
    await inbox.revoked('after-loss')
  })

  test('needs no more rights than docs/sources.md says', async () => {
    const document = readFileSync(join(projectRoot, 'docs', 'sources.md'), 'utf8')
    const rights = /The ACL user needs `~portal:revocations ([^`]+)`/.exec(document)?.[1]?.split(' ') ?? []
    await client.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>reader-secret', `~${stream}`, ...rights)
    const url = parseRedisUrl(redis.url)
    inbox.start({
      from: { redis: { setting: 'test', url, username: 'reader', password: 'reader-secret', stream, group } },
    })
    await send([tokenMessage('with-few-rights')])
    await inbox.revoked('with-few-rights')
    await until('all is acknowledged', async () => (await unacknowledged()) === 0)
    assert.deepEqual(inbox.ingesting.warnings, [])
  })

  test('acknowledges a report of issued tokens only when it is stored', async () => {
    const grantsRedis = await startRedis()
    const store = await openGrantsAt(grantsRedis.url)
    const registry = createTokenRegistry({
      store,
      publish: inbox.ingesting.options.publish,
      nowSeconds,
      longestTokenSeconds: () => longestTokenSeconds,
      onRefused: () => undefined,
    })
    const issued = { issuer: inboxIssuer, clientId: 'shop', accessToken: { token: 'an-opaque-token' } }
    const event = { specversion: '1.0', type: 'io.rescind.tokens-issued.v1', data: issued }
    await grantsRedis.kill('SIGKILL')
    inbox.start({ formats: ['tokens-issued'] }, registry)
    await send([JSON.stringify(event)])
    await until('it was tried', async () => (await inbox.ingesting.count(inboxSource, 'deferred')) >= 2)
    assert.equal(await unacknowledged(), 1)
    await grantsRedis.startAgain()
    await until('it is acknowledged', async () => (await unacknowledged()) === 0)
    assert.equal((await registry.find('an-opaque-token', undefined))?.clientId, 'shop')
    assert.equal(inbox.ingesting.deadLetters.total, 0)
    await inbox.stop()
    await store.close()
    await grantsRedis.stop()
  })

  test('is started by the configuration, beside others', async () => {
    const settings = (name: string) => ({
      name,
      redis: { url: redis.url, stream: `${stream}-${name}` },
      formats: ['cloudevents'],
      issuers: [inboxIssuer],
    })
    const { config } = loadYaml(
      stringify({
        issuers: [{ issuer: inboxIssuer }],
        revoker: { inbox: [settings('one'), settings('two')] },
      }),
    )
    const { options } = inbox.ingesting
    const published: string[] = []
    const importers = startImporters({
      ...options,
      registry: new Registry(),
      ...importersOf(config),
      publish: revocation => {
        published.push(`${revocation.actor} ${revocation.match.jti}`)
        return options.publish(revocation)
      },
    })
    for (const name of ['one', 'two']) {
      await client.xadd(`${stream}-${name}`, '*', 'event', tokenMessage(`token-of-${name}`))
    }
    await until('both are published', () => published.length === 2)
    assert.deepEqual(published.sort(), ['inbox:one token-of-one', 'inbox:two token-of-two'])
    await importers.close()
  })

  test('takes large entries in small pages', async () => {
    const large = Buffer.alloc(1_000_000, 'x')
    await send([...Array.from({ length: 100 }, () => large), tokenMessage('after-them')])
    inbox.start()
    await inbox.revoked('after-them')
    assert.equal(inbox.ingesting.deadLetters.total, 100)
  })

  test('lists an entry that has no field for the message', async () => {
    await client.xadd(stream, '*', 'other', 'field')
    inbox.start()
    await send([tokenMessage('next')])
    await inbox.revoked('next')
    const [letter] = inbox.ingesting.deadLetters.list()
    assert.match(letter?.position ?? '', new RegExp(`^${stream}/\\d+-\\d+$`))
    assert.match(letter?.problem ?? '', /needs the field event/)
    assert.equal(letter?.sha256, undefined)
  })
})
