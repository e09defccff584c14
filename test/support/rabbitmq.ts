/**
 * Starts real RabbitMQ brokers on 127.0.0.1, each with its own port mapper, and publishes to them.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from 'rabbitmq-client'
import { findService } from '../services/catalogue.ts'
import { type Child, startChild } from './child.ts'
import { until } from './condition.ts'
import { freePort } from './ports.ts'

/** Names the queue as it likes; `limited` may only use queues that the broker names. */
export const rabbitmqUsers = {
  guest: { username: 'guest', password: 'guest', configure: '.*' },
  limited: { username: 'limited', password: 'limited-secret', configure: '^amq\\.gen.*$' },
} as const

/** A running broker. */
export interface RunningRabbitmq {
  readonly port: number
  /** Without user and password. */
  readonly url: string
  /** Publishes to amq.topic as the event hub does, and resolves when the broker has the message. */
  publish(body: string | Buffer, envelope?: { routingKey?: string; contentType?: string }): Promise<void>
  /** How many messages of a queue nobody consumes now, and how many consumers it has; undefined if it is not there. */
  queue(name: string): Promise<{ readonly messages: number; readonly consumers: number } | undefined>
  /** Ends the broker; SIGKILL or SIGTERM. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, with the same port and data. */
  startAgain(): Promise<void>
  stop(): Promise<void>
}

const timeoutMs = 60_000

/** Starts a broker and waits until it takes connections. */
export async function startRabbitmq(): Promise<RunningRabbitmq> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-rabbitmq-'))
  const [port, distributionPort, mapperPort] = [await freePort(), await freePort(), await freePort()]
  await writeFile(join(folder, 'definitions.json'), JSON.stringify(definitions()))
  await writeFile(join(folder, 'rabbitmq.conf'), `load_definitions = ${join(folder, 'definitions.json')}\n`)
  const mapper = await startChild('epmd', ['-port', `${mapperPort}`, '-address', '127.0.0.1'])
  const env = environment(folder, port, distributionPort, mapperPort)
  let broker: Child
  const start = async () => {
    broker = await startChild(program(), [], { env })
    await until('RabbitMQ takes connections', () => canConnect(port), {
      timeoutMs,
      giveUp: () => (broker.exitCode === undefined ? undefined : broker.output().slice(-2_000)),
    })
  }
  const stop = async () => {
    await broker?.kill('SIGKILL')
    await mapper.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    url: `amqp://127.0.0.1:${port}`,
    publish: (body, envelope = {}) =>
      withConnection(port, async connection => {
        const publisher = connection.createPublisher({ confirm: true })
        const routing = { exchange: 'amq.topic', routingKey: 'tokenRevocation', durable: true }
        await publisher.send({ ...routing, ...envelope }, body)
        await publisher.close()
      }),
    queue: name =>
      withConnection(port, async connection => {
        const channel = await connection.acquire({ emitErrorsFromChannel: true })
        channel.on('error', () => undefined)
        const found = await channel.queueDeclare({ queue: name, passive: true }).catch(() => undefined)
        await channel.close()
        return found && { messages: found.messageCount, consumers: found.consumerCount }
      }),
    kill: signal => broker.kill(signal),
    startAgain: start,
    stop,
  }
}

/** Debian's own command would change the user. */
function program(): string {
  const direct = '/usr/lib/rabbitmq/bin/rabbitmq-server'
  const found = existsSync(direct) ? direct : findService('rabbitmq')
  if (found === undefined) throw new Error('RabbitMQ is missing here: npm run services -- rabbitmq')
  return found
}

const environment = (folder: string, port: number, distributionPort: number, mapperPort: number) => ({
  HOME: folder,
  // It then takes the place of the shell that starts it, so that a signal reaches it.
  RUNNING_UNDER_SYSTEMD: '1',
  ERL_EPMD_PORT: `${mapperPort}`,
  RABBITMQ_NODENAME: `rescind-${port}@localhost`,
  RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
  RABBITMQ_NODE_PORT: `${port}`,
  RABBITMQ_DIST_PORT: `${distributionPort}`,
  RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
  RABBITMQ_LOG_BASE: join(folder, 'log'),
  RABBITMQ_FEATURE_FLAGS_FILE: join(folder, 'feature_flags'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
  RABBITMQ_PID_FILE: join(folder, 'pid'),
  RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1',
})

const definitions = () => ({
  vhosts: [{ name: '/' }],
  users: Object.values(rabbitmqUsers).map(({ username, password }) => ({
    name: username,
    password_hash: passwordHash(password),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
    tags: '',
  })),
  permissions: Object.values(rabbitmqUsers).map(({ username, configure }) => ({
    user: username,
    vhost: '/',
    configure,
    write: '.*',
    read: '.*',
  })),
})

function passwordHash(password: string): string {
  const salt = randomBytes(4)
  const hash = createHash('sha256').update(salt).update(password).digest()
  return Buffer.concat([salt, hash]).toString('base64')
}

async function withConnection<Result>(
  port: number,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { username, password } = rabbitmqUsers.guest
  const connection = new Connection({
    hostname: '127.0.0.1',
    port,
    username,
    password,
    acquireTimeout: 5_000,
  })
  connection.on('error', () => undefined)
  try {
    await connection.onConnect(5_000)
    return await use(connection)
  } finally {
    connection.unsafeDestroy()
  }
}

const canConnect = (port: number): Promise<boolean> => withConnection(port, async () => true)
