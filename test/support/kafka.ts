/**
 * A real Kafka broker, controller included, in a folder of its own.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Admin, type ITopicConfig, type KafkaConfig } from 'kafkajs'
import { findService } from '../services/catalogue.ts'
import { runCommand } from '../services/command.ts'
import { type Child, startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'

/** Which broker to start. */
export interface KafkaOptions {
  /** The component: `kafka` (default) or the oldest one that is supported. */
  readonly component?: string
  /** A second listener. */
  readonly listener?: KafkaListener
}

/** A listener beside the plain one. */
export interface KafkaListener {
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SASL_SSL'
  readonly port: number
  /** The port that clients of this listener are told, such as that of a proxy; default: its own. */
  readonly advertisedPort?: number
  /** Its lines for server.properties. */
  readonly properties?: readonly string[]
}

/** A running broker. */
export interface KafkaBroker {
  readonly port: number
  /** `host:port`, as clients are told it. */
  readonly brokers: readonly string[]
  /** A connected admin client, which is closed by {@link stop}. */
  readonly admin: Admin
  /** Creates a topic, and resolves when it can be used. */
  createTopic(config: ITopicConfig): Promise<void>
  /** Everything that it printed. */
  output(): string
  /** Sends a signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Sends a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void
  /** Starts it again with the same data and waits until it answers. */
  startAgain(): Promise<void>
  stop(): Promise<void>
}

/** A quiet client, for what a test does beside the driver. */
export const quietKafka = (brokers: readonly string[], config: Partial<KafkaConfig> = {}) =>
  new kafkajs.Kafka({
    clientId: 'test',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 200 },
    ...config,
  })

const timeoutMs = 60_000
const java = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Starts a broker on a free port and waits until it answers. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const jars = `${findService(options.component ?? 'kafka')}/*`
  const folder = await mkdtemp(join(tmpdir(), 'rescind-kafka-'))
  const port = await freePort()
  const properties = join(folder, 'server.properties')
  await writeFile(properties, propertiesOf(folder, port, await freePort(), options.listener))
  const clusterId = randomBytes(16).toString('base64url')
  // As one word: an id may begin with a dash.
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties]
  await runCommand('java', [...java, '-cp', jars, ...format], { timeoutMs })

  const brokers = [`127.0.0.1:${port}`]
  const admin = quietKafka(brokers).admin()
  let child: Child

  const start = async () => {
    child = await startChild('java', [...java, '-cp', jars, 'kafka.Kafka', properties])
    try {
      await until('Kafka answers', () => answers(brokers), {
        timeoutMs,
        giveUp: () => (child.exitCode === undefined ? undefined : child.output().slice(-2_000)),
      })
    } catch (error) {
      await child.kill('SIGKILL')
      throw error
    }
  }
  const remove = () => rm(folder, { recursive: true, force: true })

  try {
    await start()
    await admin.connect()
  } catch (error) {
    await remove()
    throw error
  }
  return {
    port,
    brokers,
    admin,
    createTopic: async config => {
      // Not `waitForLeaders`: kafkajs gives up when a broker does not know of the topic yet.
      await until('the topic is new', () => admin.createTopics({ topics: [config], waitForLeaders: false }))
      await until('the topic has leaders', () => admin.fetchTopicOffsets(config.topic))
    },
    output: () => child.output(),
    kill: signal => child.kill(signal),
    signal: signal => process.kill(child.pid, signal),
    startAgain: start,
    stop: async () => {
      await admin.disconnect()
      await child.kill('SIGKILL')
      await remove()
    },
  }
}

async function answers(brokers: readonly string[]): Promise<boolean> {
  const admin = quietKafka(brokers, { retry: { retries: 0 } }).admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).brokers.length > 0
  } finally {
    await admin.disconnect()
  }
}

function propertiesOf(
  folder: string,
  port: number,
  controllerPort: number,
  second: KafkaListener | undefined,
): string {
  const plain: KafkaListener = { name: 'PLAINTEXT', protocol: 'PLAINTEXT', port }
  const controller: KafkaListener = { name: 'CONTROLLER', protocol: 'PLAINTEXT', port: controllerPort }
  const listeners = second === undefined ? [plain] : [plain, second]
  const all = [...listeners, controller]
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=${all.map(each => `${each.name}://127.0.0.1:${each.port}`).join(',')}`,
    `advertised.listeners=${listeners.map(each => `${each.name}://127.0.0.1:${each.advertisedPort ?? each.port}`).join(',')}`,
    'controller.listener.names=CONTROLLER',
    `listener.security.protocol.map=${all.map(each => `${each.name}:${each.protocol}`).join(',')}`,
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.num.partitions=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.num.partitions=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    // A broker that was killed may come back only when its session has ended.
    'broker.heartbeat.interval.ms=200',
    'broker.session.timeout.ms=1000',
    ...(second?.properties ?? []),
    '',
  ].join('\n')
}
