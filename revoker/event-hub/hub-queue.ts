/**
 * The queue at the broker in which the event hub's messages wait for us: durable where the broker allows it.
 *
 * @module
 */
import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client'
import type { Logger } from '../../runtime/logger.ts'

/** What is consumed. */
export interface HubQueueSettings {
  readonly exchange: string
  readonly routingKey: string
  readonly queue: {
    readonly name: string
    /** It outlives the connection, where the broker allows that. */
    readonly durable: boolean
    /** For how long the broker keeps the queue, and what is in it, while nobody consumes it. */
    readonly expiresMs: number
  }
  /** Most messages that are not acknowledged yet. */
  readonly prefetch: number
}

/**
 * Gets each message, and what acknowledges it: without effect when the channel is gone, for then the broker delivers the
 * message again.
 */
export type OnMessage = (message: AsyncMessage, acknowledge: () => void) => void

/** A queue that is consumed. */
export interface HubQueue {
  /** Resolves when the channel is gone, whatever the cause. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** `existing`: one of the name that is there already, as it is; `temporary`: it lives as long as this connection. */
type QueueKind = 'durable' | 'existing' | 'temporary'

interface Fallback {
  readonly kind: QueueKind
  readonly message: string
}

const notAllowed: Fallback = {
  kind: 'temporary',
  message:
    'the broker refuses a durable queue, a temporary one is used: what is revoked while no revoker is connected is only learned from the refill, which has JWTs but no opaque tokens, users or clients',
}

/** What is done when the broker refuses a durable queue, by its reply code; after any other it is tried again. */
const fallbacks: ReadonlyMap<string, Fallback> = new Map<string, Fallback>([
  [
    'PRECONDITION_FAILED',
    {
      kind: 'existing',
      message:
        'the queue was declared with other settings and is used as it is; for revoker.eventHub.queue.expires to count, delete the queue at the broker',
    },
  ],
  ['ACCESS_REFUSED', notAllowed],
  ['NOT_ALLOWED', notAllowed],
])

/**
 * Declares and binds the queue as far as the broker allows it, says what it does not, and has messages delivered.
 *
 * @throws what the broker says; or that there was no connection for 20 s.
 */
export async function openHubQueue(
  connection: Connection,
  settings: HubQueueSettings,
  onMessage: OnMessage,
  logger: Logger,
): Promise<HubQueue> {
  const kind = settings.queue.durable ? 'durable' : 'temporary'
  try {
    return await open(connection, settings, kind, onMessage)
  } catch (error) {
    const fallback = kind === 'durable' ? fallbacks.get((error as { code?: string }).code ?? '') : undefined
    if (fallback === undefined) throw error
    logger.warn({ queue: settings.queue.name, reason: (error as Error).message }, fallback.message)
    return open(connection, settings, fallback.kind, onMessage)
  }
}

async function open(
  connection: Connection,
  settings: HubQueueSettings,
  kind: QueueKind,
  onMessage: OnMessage,
): Promise<HubQueue> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true })
  // Whatever is wrong closes the channel, which is what is waited for.
  channel.on('error', () => undefined)
  const closed = new Promise<void>(resolve => channel.once('close', resolve))
  channel.on('basic.cancel', () => void channel.close())
  try {
    await consume(channel, settings, kind, onMessage)
  } catch (error) {
    await channel.close()
    throw error
  }
  return {
    closed,
    close: () => channel.close(),
  }
}

async function consume(
  channel: Channel,
  { exchange, routingKey, queue, prefetch }: HubQueueSettings,
  kind: QueueKind,
  onMessage: OnMessage,
): Promise<void> {
  const declarations = {
    durable: { queue: queue.name, durable: true, arguments: { 'x-expires': queue.expiresMs } },
    existing: { queue: queue.name, passive: true },
    temporary: { queue: '', exclusive: true },
  }
  const { queue: name } = await channel.queueDeclare(declarations[kind])
  await channel.queueBind({ queue: name, exchange, routingKey })
  await channel.basicQos({ prefetchCount: prefetch })
  await channel.basicConsume({ queue: name }, message =>
    onMessage(message, () => {
      if (channel.active) channel.basicAck({ deliveryTag: message.deliveryTag })
    }),
  )
}
