/** Whole processes on a log in Redis that loses what it had acknowledged, or takes nothing more. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/condition.ts'
import { adapterAlarm, surviveAccident } from '../support/log-accident.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'
import { type SharedStack, startSharedStack } from '../support/shared-stack.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { createTokenRounds, type TokenRounds } from '../support/token-rounds.ts'

const logKey = '{rescind}:log'
/** Beyond the greatest position, 2^53-1. */
const hugeId = '9007199254740993-0'

describe('what a log in Redis suffers', requireService('redis'), () => {
  let master: RunningRedis
  let replica: RunningRedis
  /** The address at which everybody finds Redis; the adapter has a way of its own there. */
  let address: TcpProxy
  let adaptersWay: TcpProxy
  let stack: SharedStack
  let rounds: TokenRounds
  const ends: (() => Promise<unknown>)[] = []

  before(async () => {
    master = await startRedis()
    address = await startTcpProxy(master.port)
    adaptersWay = await startTcpProxy(master.port)
    ends.push(() => master.stop(), address.stop, adaptersWay.stop)
    const logAt = ({ port }: TcpProxy) => ({ driver: 'redis', redis: { url: `redis://127.0.0.1:${port}` } })
    stack = await startSharedStack({ log: logAt(address), adapters: [{ log: logAt(adaptersWay) }] })
    ends.push(stack.stop)
    rounds = createTokenRounds(stack.issuer, stack.revokerPort)
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  const startReplica = async () => {
    replica = await startRedis({ replicaOf: master.port })
    const { stop } = replica
    ends.push(stop)
    const length = async (redis: RunningRedis) => Number(await redis.cli('xlen', logKey))
    await until('the replica has everything', async () => (await length(replica)) === (await length(master)))
  }
  /** The replica is on its own from here on, and lacks what comes now. */
  const loseTheReplica = async () => {
    await startReplica()
    await replica.cli('replicaof', 'no', 'one')
    await rounds.revoke(100)
    await rounds.reached(stack.enforcers)
  }
  const revokeWhenPossible = async (count: number) => {
    await until('it takes revocations', async () => (await rounds.tryRevoke()) < 300)
    await rounds.revoke(count)
  }

  for (const { how, isCut, signal } of [
    { how: 'while the adapter stays connected', isCut: false, signal: 'SIGTERM' },
    { how: 'while the adapter is cut off', isCut: true, signal: 'SIGKILL' },
  ] as const) {
    test(`a log that is wiped and filled with other entries, ${how}, is no loss`, async () => {
      await rounds.revoke(30)
      const happen = async () => {
        await master.cli('flushall')
        await rounds.revoke(rounds.revoked.length + 10)
      }
      await surviveAccident({ stack, rounds, happen, signal, cutOff: isCut ? adaptersWay : undefined })
    })

    test(`an id that no position can have, added ${how}, stops appends, and nothing is forgotten`, async () => {
      await rounds.revoke(10)
      await rounds.reached(stack.enforcers)
      const [adapter, enforcer] = [stack.adapters[0]!, stack.enforcers[0]!]
      const alarms = adapter.said(adapterAlarm).length
      const lastId = async () =>
        /^\d+-0/.exec(await master.cli('xrevrange', logKey, '+', '-', 'count', '1'))?.[0]
      const last = await lastId()
      if (isCut) await adaptersWay.cut()
      await master.cli('xadd', logKey, hugeId, 'not', 'ours')
      assert.equal(await rounds.tryRevoke(), 503)
      if (isCut) await adaptersWay.restore()
      await adapter.end(signal)
      await adapter.startAgain()
      await enforcer.end(signal)
      await enforcer.startAgain()
      await rounds.check(enforcer)

      await master.cli('xdel', logKey, hugeId)
      await master.cli('xsetid', logKey, last!)
      await rounds.revoke(10)
      await rounds.reached(stack.enforcers)
      assert.equal(adapter.said(adapterAlarm).length, alarms)
    })
  }

  test('a master that becomes a copy of a replica which lacks its last entries, and keeps its clients, is no loss', async () => {
    await loseTheReplica()
    const happen = async () => {
      await master.cli('replicaof', '127.0.0.1', `${replica.port}`)
      await until('it has become the replica', async () =>
        (await master.cli('info', 'replication')).includes('master_link_status:up'),
      )
      await master.cli('replicaof', 'no', 'one')
      await revokeWhenPossible(120)
    }
    await surviveAccident({ stack, rounds, happen, signal: 'SIGTERM' })
  })

  test('a replica that is promoted without the last entries, and to which the adapter comes later, is no loss', async () => {
    await loseTheReplica()
    const happen = async () => {
      await master.stop()
      master = replica
      address.retarget(master.port)
      adaptersWay.retarget(master.port)
      await revokeWhenPossible(120)
    }
    await surviveAccident({ stack, rounds, happen, signal: 'SIGKILL', cutOff: adaptersWay })
  })
})
