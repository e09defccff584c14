/**
 * A real Kafka broker, controller included, in a folder of its own.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import { findService } from '../services/catalogue.ts'
import { runCommand } from '../services/command.ts'
import { type Child, startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'

/** Which broker to start. */
export interface KafkaOptions {
  /** The component: `kafka` (default) or the oldest one that is supported. */
  readonly component?: string
  /** A second listener, and more lines for server.properties. */
  readonly listener?: { readonly name: string; readonly port: number; readonly properties: readonly string[] }
}

/** A running broker. */
export interface KafkaBroker {
  readonly port: number
  /** `host:port`, as clients are told it. */
  readonly brokers: readonly string[]
  /** A connected admin client, which is closed by {@link stop}. */
  readonly admin: Admin
  /** Everything that it printed. */
  output(): string
  kill(signal: NodeJS.Signals): Promise<void>
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
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties]
  await runCommand('java', [...java, '-cp', jars, ...format], { timeoutMs })

  const brokers = [`127.0.0.1:${port}`]
  const admin = quietKafka(brokers).admin()
  let child: Child

  const start = async () => {
    child = await startChild('java', [...java, '-cp', jars, 'kafka.Kafka', properties])
    await until('Kafka answers', () => answers(brokers), {
      timeoutMs,
      giveUp: () => (child.exitCode === undefined ? undefined : child.output().slice(-2_000)),
    })
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
    output: () => child.output(),
    kill: signal => child.kill(signal),
    startAgain: start,
    stop: async () => {
      await child.kill('SIGKILL')
      await admin.disconnect()
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
  listener: KafkaOptions['listener'],
): string {
  const second = listener === undefined ? '' : `,${listener.name}://127.0.0.1:${listener.port}`
  const listeners = `PLAINTEXT://127.0.0.1:${port}${second}`
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=${listeners}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
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
    ...(listener?.properties ?? []),
    '',
  ].join('\n')
}
