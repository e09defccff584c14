/**
 * A kafkajs client whose connections are known and can be ended at once: kafkajs itself would wait for requests that are
 * under way, and tells nobody when it connects anew.
 *
 * @module
 */
import { connect, isIP, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import kafkajs, {
  type ISocketFactoryArgs,
  type Kafka,
  type KafkaConfig,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import type { Logger } from '../../runtime/logger.ts'
// Every client decompresses within its limits.
import './compression.ts'

/** Where the brokers are and how to speak to them. */
export interface KafkaConnectionOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[]
  /** The name that brokers see; consumer groups begin with it and a dash. */
  readonly clientId: string
  /** `true`: TLS that trusts the system's authorities. Absent: no TLS. */
  readonly tls?: ClientTlsOptions | true
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  readonly logger: Logger
}

/** How one client differs from another. */
export interface ClientOptions {
  readonly retry: RetryOptions
  /** Called after each new connection. */
  readonly onConnected?: () => void
}

/** A client of its own, with connections of its own. */
export interface KafkaClient {
  readonly kafka: Kafka
  /** Connections that stand now. */
  readonly openConnections: number
  /** Ends all connections and allows no more, so that whatever is under way fails soon. */
  destroy(): void
}

const connectionTimeoutMs = 2_000
const requestTimeoutMs = 5_000
const keepAliveMs = 60_000
const gracefulCloseMs = 500

/** Creates a client; it connects when it is used. */
export function createKafkaClient(connection: KafkaConnectionOptions, options: ClientOptions): KafkaClient {
  const sockets = new Set<Socket>()
  let destroyed = false

  const socketFactory = ({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket => {
    if (destroyed) return refusedSocket()
    const onConnected = () => {
      options.onConnected?.()
      onConnect()
    }
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnected)
      : connect({ host, port }, onConnected)
    sockets.add(socket)
    socket.setKeepAlive(true, keepAliveMs).once('close', () => sockets.delete(socket))
    return socket
  }

  return {
    kafka: new kafkajs.Kafka({
      ...configOf(connection),
      // Without any broker kafkajs gives up instead of trying again.
      brokers: () => (destroyed ? [] : [...connection.brokers]),
      retry: options.retry,
      socketFactory,
    }),
    get openConnections() {
      return [...sockets].filter(({ readyState }) => readyState === 'open').length
    },
    destroy: () => {
      destroyed = true
      for (const socket of sockets) socket.destroy(new Error('the client was closed'))
    },
  }
}

/** Lets `disconnect` end in peace for a moment, then ends the client's connections. */
export async function closeClient(client: KafkaClient, disconnect: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, gracefulCloseMs)
  })
  // A client that cannot say goodbye is closed all the same.
  await Promise.race([disconnect().catch(() => undefined), late])
  clearTimeout(timer)
  client.destroy()
}

function configOf({ clientId, tls, sasl, logger }: KafkaConnectionOptions): Omit<KafkaConfig, 'brokers'> {
  return {
    clientId,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    ...(tls === undefined ? {} : { ssl: tls === true ? {} : { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    logLevel: kafkajs.logLevel.INFO,
    // What matters of it is an error of ours where it happens; kafkajs calls much an error that it then mends.
    logCreator:
      () =>
      ({ namespace, log: { message, broker, error } }) =>
        logger.debug({ kafkajs: namespace, broker, error }, message),
  }
}

/** kafkajs expects a socket in any case. */
function refusedSocket(): Socket {
  const socket = new Socket()
  process.nextTick(() => socket.destroy(new Error('the client was closed')))
  return socket
}
