/** The log in Redis when the server that was its master is not any more, or is cut off, and keeps its clients. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { beforeFirst, type LogEntry } from '../../event-log/event-log.ts'
import { followLog } from '../../event-log/follow.ts'
import { until } from '../support/condition.ts'
import { startFollowing } from '../support/log-following.ts'
import { readNow } from '../support/log-reading.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { startSentinelGroup } from '../support/redis-groups.ts'
import { openLog } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'
import { block, bytesOf, plainCodec } from '../support/revocations.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const cleanUps: (() => Promise<unknown>)[] = []

const start = async (replicaOf?: number): Promise<RunningRedis> => {
  const redis = await startRedis(replicaOf === undefined ? {} : { replicaOf })
  cleanUps.push(() => redis.stop())
  return redis
}

const open = async (url: string, waitReplicas = 0) => {
  const under = await openLog({ url, waitReplicas, appendTimeoutMs: 5_000 })
  cleanUps.push(under.log.close)
  return under.log
}

const blockOf = (name: string) => bytesOf(block({ jti: name }, 4e9))

/** A master and a replica; an address that leads to the master, and which new connections find at the other one later. */
const startPair = async () => {
  const master = await start()
  const replica = await start(master.port)
  const proxy = await startTcpProxy(master.port)
  cleanUps.push(proxy.stop)
  const { log: first } = await openLog({ url: master.url })
  await first.appendAll(Array.from({ length: 50 }, (_, at) => blockOf(`before ${at}`)))
  await first.close()
  await until('the replica has it', async () => (await replica.cli('xlen', '{rescind}:log')) === '50')
  return {
    master,
    replica,
    log: await open(`redis://127.0.0.1:${proxy.port}`),
    promote: async () => {
      await replica.cli('replicaof', 'no', 'one')
      proxy.retarget(replica.port)
    },
  }
}

/** Ends the connections on which this command was the last one. */
const killClients = async (redis: RunningRedis, command: string): Promise<void> => {
  const list = await redis.cli('client', 'list')
  const ids = list
    .split('\n')
    .filter(line => line.includes(` name=rescind `) && line.includes(` cmd=${command} `))
    .map(line => /^id=(\d+)/.exec(line)?.[1] as string)
  assert.equal(ids.length, 1)
  for (const id of ids) await redis.cli('client', 'kill', 'id', id)
}

describe('the log in Redis whose server was demoted', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('while WAIT waits for its replicas has acknowledged nothing', async () => {
    const [redis, other] = [await start(), await start()]
    const log = await open(redis.url, 1)
    const demote = async () => {
      await until('it waits', async () => (await redis.cli('info', 'clients')).includes('blocked_clients:1'))
      await redis.cli('replicaof', '127.0.0.1', `${other.port}`)
    }
    const appended = assert.rejects(log.append(bytes('one')), {
      code: 'ERR_LOG_TIMEOUT',
      message: /not known whether replicas have it \(UNBLOCKED/,
    })
    await Promise.all([appended, demote()])
  })

  test('tells nothing of itself any more, and confirms nothing', async () => {
    const { master, replica } = await startPair()
    const log = await open(master.url)
    const last = (await readNow(log)).at(-1) as LogEntry
    await master.cli('replicaof', '127.0.0.1', `${replica.port}`)
    await assert.rejects(log.confirm(last), { code: 'ERR_LOG_UNREACHABLE' })
    await assert.rejects(log.check(last), { code: 'ERR_LOG_UNREACHABLE' })
    await master.cli('replicaof', 'no', 'one')
    const check = await until('it is the master again', () => log.check(last))
    assert.equal(check.known, 'confirmed')
  })

  for (const [how, masterOf] of [
    ['and follows the new master', ({ port }: RunningRedis) => port],
    ['and follows nobody', () => 1],
  ] as const) {
    test(`${how}, goes on at the new master without a false alarm`, async () => {
      const { master, replica, log, promote } = await startPair()
      const follower = followLog({ log, codec: plainCodec, graceSeconds: 0 })
      cleanUps.push(follower.close)
      await follower.caughtUp
      await promote()
      await master.cli('replicaof', '127.0.0.1', `${masterOf(replica)}`)
      const writer = await open(replica.url)
      let position = 0
      for (let round = 0; round < 3; round += 1) {
        const sinceMs = performance.now()
        position = (await writer.appendAll([1, 2, 3].map(at => blockOf(`after ${round} ${at}`)))).at(-1)!
        await follower.reached(position)
        await until('its end was read anew', () => follower.confirmedAtMs > sinceMs)
      }
      assert.equal(follower.state.position, position)
      assert.deepEqual([follower.restarts, follower.rollbacks], [0, 0])
    })
  }

  for (const [which, command] of [
    ['the reader', 'xread'],
    ['who checks', 'eval'],
  ] as const) {
    test(`only for new connections: when ${which} loses the old one, both go to the new master`, async () => {
      const { master, replica, log, promote } = await startPair()
      const reader = startFollowing(log)
      cleanUps.push(reader.stop)
      await until('all was read', () => reader.entries.length === 50)
      await log.check(reader.entries[49]!)
      await promote()
      const writer = await open(replica.url)
      const position = await writer.append(blockOf('after'))
      // This one is still a master, but not the log's.
      await killClients(master, command)
      await until('it was read at the new master', () => reader.entries.at(-1)?.position === position)
      const { end, known } = await until('it is checked there', () => log.check(reader.entries.at(-1)!))
      assert.deepEqual([end, known], [position, 'confirmed'])
    })
  }

  test('by sentinels that cannot tell it so: it is left for the one that they name', async () => {
    const group = await startSentinelGroup()
    cleanUps.push(group.stop)
    const log = await open(group.url)
    const reader = startFollowing(log)
    cleanUps.push(reader.stop)
    await log.append(bytes('before'))
    await until('it was read', () => reader.entries.length === 1)
    await until('the replica has it', async () => (await group.replica.cli('xlen', '{rescind}:log')) === '1')

    await group.moveUnseen()
    await (await open(group.replica.url)).append(bytes('after'))
    await until('it was read at the new master', () => reader.entries.length === 2, { timeoutMs: 40_000 })
    assert.equal((await until('it is checked there', () => log.check(beforeFirst))).end, 2)
    assert.equal(await group.master.cli('xlen', '{rescind}:log'), '1')
    assert.equal(await until('it is appended there', () => log.append(bytes('there'))), 3)
  })
})
