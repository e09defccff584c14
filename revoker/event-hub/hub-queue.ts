/**
 * The queue at the broker in which the event hub's messages wait for us: durable where the broker allows it.
 *
 * @module
 */
import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client'

/** What is consumed. */
export interface HubQueueSettings {
  readonly exchange: string
  readonly routingKey: string
  readonly queue: {
    readonly name: string
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

/** A broker that does not allow the queue says one of these. */
const refusals = new Set([
  'ACCESS_REFUSED',
  'PRECONDITION_FAILED',
  'RESOURCE_LOCKED',
  'NOT_ALLOWED',
  'NOT_IMPLEMENTED',
])

/** Whether the broker refused what it was asked for, so that asking again is of no use. */
export const isRefusal = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && refusals.has(error.code as string)

/**
 * Declares and binds the queue, and has messages delivered.
 *
 * @param durable else a queue that lives as long as this connection.
 * @throws what the broker says, see {@link isRefusal}; or that there was no connection for 20 s.
 */
export async function openHubQueue(
  connection: Connection,
  settings: HubQueueSettings,
  durable: boolean,
  onMessage: OnMessage,
): Promise<HubQueue> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true })
  // Whatever is wrong closes the channel, which is what is waited for.
  channel.on('error', () => undefined)
  const closed = new Promise<void>(resolve => channel.once('close', resolve))
  channel.on('basic.cancel', () => void channel.close())
  try {
    await consume(channel, settings, durable, onMessage)
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
  durable: boolean,
  onMessage: OnMessage,
): Promise<void> {
  const { queue: name } = await channel.queueDeclare(
    durable
      ? { queue: queue.name, durable: true, arguments: { 'x-expires': queue.expiresMs } }
      : { queue: '', exclusive: true },
  )
  await channel.queueBind({ queue: name, exchange, routingKey })
  await channel.basicQos({ prefetchCount: prefetch })
  await channel.basicConsume({ queue: name }, message =>
    onMessage(message, () => {
      if (channel.active) channel.basicAck({ deliveryTag: message.deliveryTag })
    }),
  )
}
