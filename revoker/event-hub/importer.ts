/**
 * Follows the event hub of WSO2 API Manager: its messages (AMQP 0-9-1), and after each connect its list of what was
 * revoked while we were away.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from 'rabbitmq-client'
import { invalidEvent } from '../../revocation/formats/foreign-format.ts'
import { aborted, childSignal } from '../../runtime/abort-signal.ts'
import type { ClientTlsOptions } from '../../runtime/client-tls.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createForeignReader } from '../foreign-events.ts'
import { type Importer, keepRunning } from '../importer.ts'
import type { Ingest } from '../ingest.ts'
import { type HubQueueSettings, type OnMessage, openHubQueue } from './hub-queue.ts'
import { octetsOf } from './message-octets.ts'
import { type RefillSettings, refill } from './refill.ts'

/** How to reach the event hub. */
export interface EventHubSettings extends HubQueueSettings {
  /** `amqp://host:port/vhost` or `amqps://...`, all with the same scheme and vhost. When one is lost, the next is tried. */
  readonly brokers: readonly string[]
  readonly username: string
  readonly password: string
  readonly tls: ClientTlsOptions
  /** Issuers that its revocations are bound to; none: they hold for all. */
  readonly issuers: readonly string[]
  /** The list of revoked tokens; without it what happened while we were away is known only from a durable queue. */
  readonly refill: RefillSettings | undefined
}

const retryMsMin = 200
const retryMsMax = 10_000
const closeLimitMs = 5_000
const heartbeatSeconds = 10

/** What is followed, and where it goes. */
export interface EventHubOptions {
  readonly settings: EventHubSettings
  readonly ingest: Ingest
  readonly logger: Logger
}

/** Starts to follow the event hub, in the background and until closed. */
export function startEventHubImporter(options: EventHubOptions): Importer {
  const { logger } = options
  const connection = connect(options.settings)
  connection.on('error', error => logger.warn({ err: error }, 'a broker of the event hub is not connected'))
  connection.on('connection', () => logger.info({}, 'connected to a broker of the event hub'))
  const following = keepRunning(
    closing => follow(connection, options, closing),
    (error, retryMs) =>
      logger.warn({ err: error, retryMs }, 'the queue of the event hub cannot be consumed; trying again'),
  )
  return {
    async close() {
      const late = setTimeout(() => connection.unsafeDestroy(), closeLimitMs)
      await Promise.all([following.close(), connection.close()])
      clearTimeout(late)
    },
  }
}

function connect({ brokers, username, password, tls }: EventHubSettings): Connection {
  const urls = brokers.map(broker => new URL(broker))
  const [first] = urls as [URL, ...URL[]]
  const secure = first.protocol === 'amqps:'
  return new Connection({
    hosts: urls.map(({ hostname, port }) => `${hostname}:${port || (secure ? 5671 : 5672)}`),
    vhost: decodeURIComponent(first.pathname.slice(1)) || '/',
    username,
    password,
    ...(secure ? { tls } : {}),
    connectionName: 'rescind',
    heartbeat: heartbeatSeconds,
    retryLow: retryMsMin,
    retryHigh: retryMsMax,
  })
}

/** Consumes the queue until its channel is gone. */
async function follow(connection: Connection, options: EventHubOptions, closing: AbortSignal): Promise<void> {
  const { settings, ingest, logger } = options
  const { signal, abort } = childSignal(closing)
  const reader = createForeignReader({ formats: ['wso2-event-hub'], issuers: settings.issuers })
  const underWay = new Set<Promise<void>>()
  // Nothing in here may throw: nobody would catch it.
  const onMessage: OnMessage = (message, acknowledge) => {
    const content = octetsOf(message.body)
    const position = `${message.exchange}/${message.routingKey}#${message.deliveryTag}`
    const read = async () => {
      if (content === undefined) throw invalidEvent('JSON that is nested too deep')
      return reader.read(content)
    }
    const taking = ingest
      .take({ content, position, read }, signal)
      .then(acknowledge)
      // What is given up is not acknowledged, so the broker delivers it again.
      .catch(() => undefined)
    underWay.add(taking)
    void taking.then(() => underWay.delete(taking))
  }
  const queue = await openHubQueue(connection, settings, onMessage, logger)
  void queue.closed.then(abort)
  logger.info({}, 'the queue of the event hub is consumed')
  const refilling = refillOnce(options, signal)
  await aborted(signal)
  await Promise.all([...underWay, refilling])
  await queue.close()
}

/** Tries until the list was read once. Never rejects. */
async function refillOnce({ settings, ingest, logger }: EventHubOptions, signal: AbortSignal): Promise<void> {
  if (settings.refill === undefined) return
  let retryMs = retryMsMin
  while (!signal.aborted) {
    try {
      const entries = await refill(settings.refill, settings.issuers, ingest, signal)
      logger.info({ entries }, "the event hub's list of revoked tokens is stored")
      return
    } catch (error) {
      if (signal.aborted) return
      logger.error(
        { err: error, retryMs },
        "the event hub's list of revoked tokens cannot be read; trying again",
      )
      await delay(retryMs, undefined, { signal }).catch(() => undefined)
      retryMs = Math.min(retryMsMax, retryMs * 2)
    }
  }
}
