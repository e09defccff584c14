/** Whole processes on a log in Kafka that is away for a while, or loses what it had acknowledged. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settingsOfNewTopic } from '../../event-log/kafka/topic-settings.ts'
import { until } from '../support/condition.ts'
import { type KafkaBroker, startKafka } from '../support/kafka.ts'
import { surviveAccident } from '../support/log-accident.ts'
import { surviveCutOff, surviveKill } from '../support/log-outage.ts'
import { freePort } from '../support/ports.ts'
import { requireService } from '../support/requires.ts'
import { postRevocation } from '../support/revoking.ts'
import { type SharedStack, startSharedStack } from '../support/shared-stack.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { createTokenRounds, type TokenRounds } from '../support/token-rounds.ts'

const topic = 'revocations'
const retentionSeconds = 32 * 86_400

describe('what a log in Kafka suffers', requireService('kafka'), () => {
  let broker: KafkaBroker
  /** The way of the adapter to the broker. */
  let adaptersWay: TcpProxy
  let stack: SharedStack
  let rounds: TokenRounds
  before(async () => {
    const port = await freePort()
    adaptersWay = await startTcpProxy(port)
    broker = await startKafka({
      listener: { name: 'PROXIED', protocol: 'PLAINTEXT', port, advertisedPort: adaptersWay.port },
    })
    const logAt = (brokers: readonly string[]) => ({ driver: 'kafka', kafka: { brokers, topic } })
    stack = await startSharedStack({
      log: logAt(broker.brokers),
      adapters: [{ log: logAt([`127.0.0.1:${adaptersWay.port}`]) }],
    })
    rounds = createTokenRounds(stack.issuer, stack.revokerPort)
  })
  after(async () => {
    await stack?.stop()
    await broker?.stop()
    await adaptersWay?.stop()
  })

  for (const { how, isCut, signal } of [
    { how: 'while the adapter stays connected', isCut: false, signal: 'SIGTERM' },
    { how: 'while the adapter is cut off', isCut: true, signal: 'SIGKILL' },
  ] as const) {
    test(`a topic that is deleted and made anew with other entries, ${how}, is no loss`, async () => {
      await rounds.revoke(20)
      const happen = async () => {
        const { admin } = broker
        await admin.deleteTopics({ topics: [topic] })
        await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
        const configEntries = settingsOfNewTopic(retentionSeconds, 1)
        await broker.createTopic({ topic, numPartitions: 1, configEntries })
        await until('it takes revocations', async () => (await rounds.tryRevoke()) < 300)
        await rounds.revoke(rounds.revoked.length + 10)
      }
      await surviveAccident({ stack, rounds, happen, signal, cutOff: isCut ? adaptersWay : undefined })
    })
  }

  test('a revocation that would outlive its entry in the topic is refused', async () => {
    const expiresIn = async (seconds: number) => {
      const expiresAt = Math.floor(Date.now() / 1000) + seconds
      return (await postRevocation(stack.revokerPort, { match: { jti: 'long' }, expiresAt })).status
    }
    assert.equal(await expiresIn(retentionSeconds), 400)
    assert.equal(await expiresIn(30 * 86_400), 201)
  })

  test('1,000 revocations that are made while the adapter is cut off are enforced afterwards', () =>
    surviveCutOff(stack, rounds, adaptersWay))

  test('a broker that is killed under load has what was acknowledged, and it is enforced', () =>
    surviveKill(stack, rounds, broker))
})
