/** Confirming positions of the log in Redis: what was read is there, and replicas have it. */
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { beforeFirst, type LogEntry } from '../../event-log/event-log.ts'
import type { RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import { until } from '../support/condition.ts'
import { readNow } from '../support/log-reading.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { openLog } from '../support/redis-log.ts'
import { requireService } from '../support/requires.ts'

const bytes = (text: string): Buffer => Buffer.from(text)
const cleanUps: (() => Promise<void>)[] = []

const start = async (options: { replicaOf?: number } = {}): Promise<RunningRedis> => {
  const redis = await startRedis(options)
  cleanUps.push(redis.stop)
  return redis
}

const startPair = async (): Promise<{ master: RunningRedis; replica: RunningRedis }> => {
  const master = await start()
  const replica = await start({ replicaOf: master.port })
  await until('the replica follows', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up'),
  )
  return { master, replica }
}

const open = async ({ url }: RunningRedis, options: Partial<RedisLogOptions> = {}) => {
  const { log } = await openLog({ url, ...options })
  cleanUps.push(log.close)
  return log
}

const callsOf = async (redis: RunningRedis, command: string): Promise<number> => {
  const stats = await redis.cli('info', 'commandstats')
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

describe('a position of the log in Redis is confirmed', requireService('redis'), () => {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  test('when the log holds it, whatever else is asked at the same time', async () => {
    const log = await open(await start())
    await log.confirm(beforeFirst)
    await log.appendAll([bytes('one'), bytes('two')])
    const [one, two] = (await readNow(log)) as [LogEntry, LogEntry]
    const asked = [one, two, { ...two, digest: two.digest ^ 1n }, { ...two, position: two.position + 1 }]
    const answers = await Promise.allSettled(asked.map(log.confirm))
    const codes = answers.map(answer => (answer.status === 'fulfilled' ? 'held' : answer.reason.code))
    assert.deepEqual(codes, ['held', 'held', 'ERR_LOG_ROLLED_BACK', 'ERR_LOG_ROLLED_BACK'])
  })

  test('not when the log was wiped, also when nothing is there any more', async () => {
    const redis = await start()
    const log = await open(redis)
    await log.append(bytes('one'))
    const [one] = (await readNow(log)) as [LogEntry]
    await redis.cli('flushall')
    await assert.rejects(log.confirm(one), { code: 'ERR_LOG_ROLLED_BACK' })
    await log.append(bytes('other'))
    await assert.rejects(log.confirm(one), { code: 'ERR_LOG_ROLLED_BACK' })
  })

  test('only when the replicas have it, though it was read before they did', async () => {
    const { master, replica } = await startPair()
    const log = await open(master, { waitReplicas: 1, appendTimeoutMs: 1_000 })
    await replica.kill('SIGSTOP')
    await assert.rejects(log.append(bytes('one')), { code: 'ERR_LOG_TIMEOUT' })
    const [one] = (await readNow(log)) as [LogEntry]
    await assert.rejects(log.confirm(one), { code: 'ERR_LOG_TIMEOUT', message: /0 of 1 replicas/ })
    await replica.kill('SIGCONT')
    await until('it is confirmed', () => log.confirm(one).then(() => true))
    assert.equal(await replica.cli('xlen', '{rescind}:log'), '1')
  })

  test('by one write that replicas get and one WAIT for all that ask at the same time', async () => {
    const { master, replica } = await startPair()
    const log = await open(master, { waitReplicas: 1 })
    await log.append(bytes('one'))
    const [one] = (await readNow(log)) as [LogEntry]
    const [writes, waits] = [await callsOf(replica, 'hset'), await callsOf(master, 'wait')]
    await Promise.all(Array.from({ length: 100 }, () => log.confirm(one)))
    assert.equal(await callsOf(replica, 'hset'), writes + 1)
    assert.equal(await callsOf(master, 'wait'), waits + 1)
  })

  test('unless too many ask at the same time', async () => {
    const log = await open(await start())
    await log.append(bytes('one'))
    const [one] = (await readNow(log)) as [LogEntry]
    const asked = Array.from({ length: 5_000 }, () => log.confirm(one))
    await assert.rejects(log.confirm(one), { code: 'ERR_OVERLOADED' })
    await Promise.all(asked)
    await log.confirm(one)
  })
})
