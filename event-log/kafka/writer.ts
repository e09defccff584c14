/**
 * Writes groups of events to the partition, each group as one record batch, which Kafka stores as a whole or not at all.
 *
 * @module
 */
import kafkajs, { type Producer } from 'kafkajs'
import { RescindError } from '../../revocation/error.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import { closeClient, createKafkaClient, type KafkaClient, type KafkaConnectionOptions } from './client.ts'
import { isStillStarting, protocolErrorOf, unreachable } from './failure.ts'

/** What to write to. */
export interface WriterOptions {
  readonly connection: KafkaConnectionOptions
  readonly topic: string
  readonly timeoutMs: number
}

/** Writes one batch after the other. */
export interface Writer {
  /**
   * Writes events durably (acks=all) and gives the offset of the first.
   *
   * @throws RescindError ERR_LOG_UNREACHABLE or ERR_LOG_WRITE if nothing was stored, ERR_LOG_TIMEOUT if that is not known.
   */
  write(events: readonly Uint8Array[]): Promise<number>
  close(): Promise<void>
}

interface Connected {
  readonly client: KafkaClient
  readonly producer: Producer
}

const connectRetry = { retries: 4, initialRetryTime: 100, maxRetryTime: 500 }

/** Refusals of what is written: no attempt of it can have been stored. */
const refusals: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_REQUIRED_ACKS',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])

/** Creates a writer; it connects at the first write. */
export function createWriter(options: WriterOptions): Writer {
  const { topic, timeoutMs } = options
  let current: Connected | undefined
  let closed = false
  let turn: Promise<unknown> = Promise.resolve()

  const discard = () => {
    current?.client.destroy()
    current = undefined
  }

  const connected = async (): Promise<Connected> => {
    // Without a connection nothing is under way, so whatever fails while connecting anew has stored nothing.
    if (current?.client.openConnections === 0) discard()
    if (closed) throw new RescindError('ERR_LOG_UNREACHABLE', 'the event log is closed; nothing was stored')
    if (current !== undefined) return current
    current = createProducer(options)
    try {
      await withDeadline(connectProducer(current.producer), timeoutMs, noAnswer)
      return current
    } catch (error) {
      discard()
      throw unreachable(topic, error)
    }
  }

  const send = async ({ producer }: Connected, events: readonly Uint8Array[]): Promise<number> => {
    const messages = events.map(event => ({ value: asBuffer(event), partition: 0 }))
    const [stored] = await withDeadline(producer.send({ topic, acks: -1, messages }), timeoutMs, noAnswer)
    return Number(stored?.baseOffset)
  }

  const write = async (events: readonly Uint8Array[]): Promise<number> => {
    const producer = await connected()
    try {
      return await send(producer, events)
    } catch (error) {
      // If the batch was stored after all, the next one of this producer would have the same sequence number and
      // count as a repetition: acknowledged and lost. So the next one comes from a new producer.
      discard()
      throw writeError(topic, error)
    }
  }

  return {
    write: events => {
      const written = turn.then(() => write(events))
      turn = written.catch(() => undefined)
      return written
    },
    close: async () => {
      closed = true
      const last = current
      current = undefined
      if (last !== undefined) await closeClient(last.client, last.producer.disconnect)
    },
  }
}

function createProducer({ connection, timeoutMs }: WriterOptions): Connected {
  const client = createKafkaClient(connection, { retry: connectRetry })
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    // kafkajs would go on for ever, also after it was closed; what is not stored by the deadline is given up anyway.
    retry: { retries: 3 + Math.ceil(timeoutMs / 250), initialRetryTime: 50, maxRetryTime: 500 },
  })
  return { client, producer }
}

/** kafkajs would give up within a second. */
async function connectProducer(producer: Producer): Promise<void> {
  for (;;) {
    try {
      return await producer.connect()
    } catch (error) {
      if (!isStillStarting(error)) throw error
    }
  }
}

const asBuffer = (event: Uint8Array): Buffer => Buffer.from(event.buffer, event.byteOffset, event.byteLength)

const noAnswer = () => new Error('no answer in time')

function writeError(topic: string, error: unknown): RescindError {
  const reason = (error as Error).message
  if (refusals.has(protocolErrorOf(error) ?? '')) {
    return new RescindError('ERR_LOG_WRITE', `Kafka refused to store it in ${topic}: ${reason}`, {
      cause: error,
    })
  }
  return new RescindError(
    'ERR_LOG_TIMEOUT',
    `Kafka did not confirm the append to ${topic} (${reason}); it may have been stored`,
    { cause: error },
  )
}
