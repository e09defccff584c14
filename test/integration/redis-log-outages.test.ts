/** Whole processes on a log in Redis that cannot be reached for a while. */
import { after, before, describe, test } from 'node:test'
import { surviveCutOff, surviveKill } from '../support/log-outage.ts'
import { type RunningRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/requires.ts'
import { type SharedStack, startSharedStack } from '../support/shared-stack.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { createTokenRounds, type TokenRounds } from '../support/token-rounds.ts'

describe('a log in Redis that is away', requireService('redis'), () => {
  let redis: RunningRedis
  let adaptersWay: TcpProxy
  let stack: SharedStack
  let rounds: TokenRounds
  before(async () => {
    redis = await startRedis({ persistence: 'always' })
    adaptersWay = await startTcpProxy(redis.port)
    const logAt = (port: number) => ({ driver: 'redis', redis: { url: `redis://127.0.0.1:${port}` } })
    stack = await startSharedStack({ log: logAt(redis.port), adapters: [{ log: logAt(adaptersWay.port) }] })
    rounds = createTokenRounds(stack.issuer, stack.revokerPort)
  })
  after(async () => {
    await stack?.stop()
    await adaptersWay?.stop()
    await redis?.stop()
  })

  test('for the adapter: 1,000 revocations that were made meanwhile are enforced afterwards', () =>
    surviveCutOff(stack, rounds, adaptersWay))

  test('because it was killed under load: what was acknowledged is enforced', () =>
    surviveKill(stack, rounds, redis))
})
