/** The log in Redis with replicas, sentinels and in a cluster. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { beforeFirst } from '../../event-log/event-log.ts'
import type { RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import { until } from '../support/condition.ts'
import { startFollowing } from '../support/log-following.ts'
import { readNow } from '../support/log-reading.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { startCluster, startSentinelGroup } from '../support/redis-groups.ts'
import { openLog } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const numbered = (count: number, name: string) =>
  Array.from({ length: count }, (_, at) => bytes(`${name} ${at}`))
const cleanUps: (() => Promise<void>)[] = []

const cleaned = <Server extends { stop(): Promise<void> }>(server: Server): Server => {
  cleanUps.push(server.stop)
  return server
}

const open = async (url: string, options: Partial<RedisLogOptions> = {}) => {
  const under = await openLog({ url, ...options })
  cleanUps.push(under.log.close)
  return under
}

const follows = async (replica: RunningRedis) =>
  (await replica.cli('info', 'replication')).includes('master_link_status:up')

const startPair = async (): Promise<{ master: RunningRedis; replica: RunningRedis }> => {
  const master = cleaned(await startRedis())
  const replica = cleaned(await startRedis({ replicaOf: master.port }))
  await until('the replica follows', () => follows(replica))
  return { master, replica }
}

describe('the log in several Redis servers', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('does not acknowledge what too few replicas have, and says so at the start', async () => {
    const master = cleaned(await startRedis())
    const { log, lines } = await open(master.url, { waitReplicas: 1, appendTimeoutMs: 500 })
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_TIMEOUT', message: /0 of 1 replicas/ })
    await until('it has warned', () => lines.some(line => /waitReplicas is 1, but 0 replicas/.test(line)))
  })

  test('acknowledges what the replicas have, with one WAIT for all appends that go together', async () => {
    const { master, replica } = await startPair()
    const { log } = await open(master.url, { waitReplicas: 1 })
    await log.append(bytes('first'))
    const waits = async () =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await master.cli('info', 'commandstats'))?.[1] ?? 0)
    const before = await waits()
    await Promise.all(numbered(100, 'event').map(event => log.append(event)))
    assert.equal(await waits(), before + 1)
    assert.equal(await replica.cli('xlen', '{rescind}:log'), '101')
  })

  test('that lost its tail is noticed without any connection dropping, by checks and by readers', async () => {
    const { master, replica } = await startPair()
    const { log } = await open(master.url)
    await log.appendAll(numbered(50, 'kept'))
    await until('the replica has it', async () => (await replica.cli('xlen', '{rescind}:log')) === '50')
    await replica.cli('replicaof', 'no', 'one')
    await log.appendAll(numbered(100, 'lost'))
    const reader = startFollowing(log)
    await until('all was read', () => reader.entries.length === 150)
    const [kept, last] = [reader.entries[49]!, reader.entries[149]!]

    // The server keeps its clients, and now holds what the replica held.
    await master.cli('replicaof', '127.0.0.1', `${replica.port}`)
    await until('it has become the replica', () => follows(master))
    await master.cli('replicaof', 'no', 'one')
    await until('the check tells', async () => (await log.check(last)).known === 'ahead')
    assert.equal((await log.check(kept)).known, 'confirmed')

    await until('it takes appends', () => log.appendAll(numbered(120, 'other')))
    assert.equal((await log.check(last)).known, 'different')
    await assert.rejects(reader.ended, { code: 'ERR_LOG_ROLLED_BACK' })
    assert.equal(reader.entries.length, 150)
    const texts = (await readNow(log, kept)).map(({ event }) => `${event}`)
    assert.deepEqual(texts, numbered(120, 'other').map(String))
  })

  test('goes on at the master that sentinels name after a fail-over, for appends and readers', async () => {
    const group = cleaned(await startSentinelGroup())
    const { log, lines } = await open(group.url, { waitReplicas: 0 })
    const reader = startFollowing(log)
    await log.appendAll(numbered(20, 'before'))
    await until('it was read', () => reader.entries.length === 20)
    await until('the replica has it', async () => (await group.replica.cli('xlen', '{rescind}:log')) === '20')
    const { epoch } = await log.check(beforeFirst)

    await group.master.kill('SIGKILL')
    const position = await until('it appends at the new master', () => log.append(bytes('after')), {
      timeoutMs: 40_000,
    })
    assert.equal(position, 21)
    assert.equal(await group.masterPort(), group.replica.port)
    await until('the reader has read it', () => reader.entries.length === 21)
    assert.equal((await log.check(reader.entries[19]!)).known, 'confirmed')
    assert.equal((await log.check(beforeFirst)).epoch, epoch)
    await reader.stop()
    assert.ok(lines.some(line => line.includes('is back')))
  })

  test('is not used at a replica until that is a master, and says so once', async () => {
    const { master, replica } = await startPair()
    const { log, logged } = await open(replica.url)
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_UNREACHABLE' })
    await assert.rejects(log.check(beforeFirst), { code: 'ERR_LOG_UNREACHABLE' })
    assert.equal(logged().match(/is a replica; name its master/g)?.length, 1)
    await replica.cli('replicaof', 'no', 'one')
    await until('it appends', () => log.append(bytes('one')))
    assert.equal(await master.cli('exists', '{rescind}:log'), '0')
  })

  test('works in a cluster, and follows its slot to another node', async () => {
    const cluster = cleaned(await startCluster())
    const { log } = await open(cluster.url)
    const reader = startFollowing(log)
    await Promise.all(numbered(50, 'event').map(event => log.append(event)))
    await until('all was read', () => reader.entries.length === 50)
    const last = reader.entries[49]!
    assert.equal((await log.check(last)).known, 'confirmed')

    const from = await cluster.masterOf('{rescind}:log')
    const to = cluster.nodes.find(node => node !== from)!
    await moveSlot(cluster.nodes, from, to)
    assert.equal(await until('it appends there', () => log.append(bytes('moved'))), 51)
    assert.equal(await to.cli('xlen', '{rescind}:log'), '51')
    await until('the reader has read it', () => reader.entries.length === 51)
    assert.equal((await log.check(last)).known, 'confirmed')
    await reader.stop()
  })
})

/** As `redis-cli --cluster reshard` does it. */
async function moveSlot(nodes: readonly RunningRedis[], from: RunningRedis, to: RunningRedis): Promise<void> {
  const slot = await from.cli('cluster', 'keyslot', '{rescind}:log')
  const [fromId, toId] = [await from.cli('cluster', 'myid'), await to.cli('cluster', 'myid')]
  await to.cli('cluster', 'setslot', slot, 'importing', fromId)
  await from.cli('cluster', 'setslot', slot, 'migrating', toId)
  const keys = ['{rescind}:log', '{rescind}:meta']
  await from.cli('migrate', '127.0.0.1', `${to.port}`, '', '0', '10000', 'keys', ...keys)
  for (const node of [to, from, ...nodes]) await node.cli('cluster', 'setslot', slot, 'node', toId)
}
