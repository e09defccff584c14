/** Several adapters on one log: enforcers move between them, and one that lags or starts makes nobody forget. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { until } from '../support/condition.ts'
import { unreachableLine } from '../support/log-outage.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'
import {
  type SharedAdapter,
  type SharedEnforcer,
  type SharedStack,
  startSharedStack,
} from '../support/shared-stack.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { createTokenRounds, type TokenRounds } from '../support/token-rounds.ts'

describe('several adapters on one log', requireService('redis'), () => {
  let redis: RunningRedis
  /** The way of the second adapter to the log. */
  let way: TcpProxy
  let stack: SharedStack
  let rounds: TokenRounds
  let enforcer: SharedEnforcer
  let first: SharedAdapter
  let second: SharedAdapter
  before(async () => {
    redis = await startRedis()
    way = await startTcpProxy(redis.port)
    const logAt = (port: number) => ({ driver: 'redis', redis: { url: `redis://127.0.0.1:${port}` } })
    stack = await startSharedStack({
      log: logAt(redis.port),
      adapters: [{}, { log: logAt(way.port), keepsNothing: true }],
      enforcers: [[0, 1]],
    })
    rounds = createTokenRounds(stack.issuer, stack.revokerPort)
    ;[first, second] = stack.adapters as [SharedAdapter, SharedAdapter]
    ;[enforcer] = stack.enforcers as [SharedEnforcer]
    await rounds.revoke(50)
    await rounds.reached([enforcer])
  })
  after(async () => {
    await stack?.stop()
    await way?.stop()
    await redis?.stop()
  })

  const isServedBy = async (adapter: SharedAdapter) =>
    (await adapter.nodes()).nodes.some(
      ({ instance, connected }) => connected && instance === enforcer.instance,
    )
  const received = () => enforcer.said('Revoked token event received')

  /** While something happens, nothing that is revoked passes, and afterwards so many entries have been received. */
  const bringsOnly = async (entries: number, happen: () => Promise<void>) => {
    const before = received().length
    await rounds.watchedWhile([enforcer], async () => {
      await happen()
      await rounds.reached([enforcer])
    })
    const lines = received().slice(before)
    assert.ok(lines.every(({ full }) => full === false))
    assert.equal(
      lines.reduce((sum, line) => sum + Number(line.entries), 0),
      entries,
    )
  }

  test('have the same version for the same state, and an enforcer that moves between them gets only what it lacks', async () => {
    const end = Number(await redis.cli('hget', '{rescind}:meta', 'end'))
    for (const adapter of [first, second]) {
      await until('it has everything', async () => (await adapter.nodes()).version === end)
    }
    await bringsOnly(7, async () => {
      await first.end('SIGKILL')
      await rounds.revoke(7)
    })
    assert.ok(await isServedBy(second))
    await first.startAgain()
    await bringsOnly(5, async () => {
      await second.end('SIGTERM')
      await rounds.revoke(5)
    })
    assert.ok(await isServedBy(first))
    await second.startAgain()
  })

  test('one that lags makes an enforcer that comes to it forget nothing', async () => {
    const before = second.said(unreachableLine).length
    await way.cut()
    await until('it says so', () => second.said(unreachableLine).length > before)
    await rounds.revoke(20)
    await rounds.reached([enforcer])
    await bringsOnly(3, async () => {
      await first.end('SIGTERM')
      await until('the enforcer comes', () => isServedBy(second))
      await rounds.check(enforcer)
      await way.restore()
      await rounds.revoke(3)
    })
    await first.startAgain()
  })

  test('one that still reads the log makes an enforcer that comes to it forget nothing', async () => {
    await second.end('SIGKILL')
    await until('the enforcer is elsewhere', () => isServedBy(first))
    await way.cut()
    await second.startAgain(({ msg }) => String(msg).startsWith(unreachableLine))
    await rounds.revoke(20)
    await rounds.reached([enforcer])
    await bringsOnly(3, async () => {
      await first.end('SIGKILL')
      await until('the enforcer is refused', () => enforcer.said('still reading the event log').length > 0)
      await rounds.check(enforcer)
      await way.restore()
      await rounds.revoke(3)
    })
  })
})

test(
  'without a data folder, of which the start-up warns, what a log lost is enforced as long as one runs that knew it',
  requireService('redis'),
  async t => {
    const redis = await startRedis()
    t.after(redis.stop)
    const log = { driver: 'redis', redis: { url: redis.url } }
    const stack = await startSharedStack({ log, adapters: [{ keepsNothing: true }] })
    t.after(stack.stop)
    const rounds = createTokenRounds(stack.issuer, stack.revokerPort)
    const [adapter] = stack.adapters as [SharedAdapter]
    assert.equal(adapter.said('adapter.dataFolder is not set').length, 1)
    await rounds.revoke(10)
    await rounds.reached(stack.enforcers)
    await redis.cli('flushall')
    await rounds.revoke(1)
    await rounds.reached([...stack.enforcers, await stack.addEnforcer([0])])

    await adapter.end('SIGTERM')
    await adapter.startAgain()
    await rounds.revoke(1)
    await rounds.reached(stack.enforcers)
    const { client } = await stack.addEnforcer([0])
    assert.equal((await client.checkToken(rounds.revoked.at(-1)!)).reason, 'revoked')
    assert.equal((await client.checkToken(rounds.revoked[0]!)).code, status.OK)
  },
)
