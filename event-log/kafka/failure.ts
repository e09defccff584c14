/**
 * What an error of kafkajs says.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { unreadableBatchOf } from './compression.ts'

const causesLimit = 5

/** The name of the error in Kafka's protocol, such as `UNKNOWN_TOPIC_OR_PARTITION`, if a broker answered with one. */
export function protocolErrorOf(error: unknown): string | undefined {
  let current = error as { type?: unknown; cause?: unknown } | undefined
  for (let depth = 0; depth < causesLimit && current !== undefined; depth++) {
    if (typeof current.type === 'string') return current.type
    current = current.cause as typeof current
  }
  return undefined
}

const startingErrors: ReadonlySet<string> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])

/** A broker that has just started, or a new cluster, which is not ready for groups and producers yet. */
export const isStillStarting = (error: unknown): boolean => startingErrors.has(protocolErrorOf(error) ?? '')

/** Brokers that refused user name or password. */
export const isAuthenticationFailure = (error: unknown): boolean =>
  (error as Error | undefined)?.name === 'KafkaJSSASLAuthenticationError'

/**
 * ERR_LOG_SETUP for a topic that holds a batch which cannot be read, and how to go on.
 *
 * @param setting the section of the topic's settings.
 */
export function unreadableTopic(setting: string, topic: string, error: unknown): RescindError | undefined {
  const batch = unreadableBatchOf(error)
  if (batch === undefined) return undefined
  return new RescindError(
    'ERR_LOG_SETUP',
    `${setting}: the topic ${topic}: ${batch.message}. Set compression.type=uncompressed on the topic, and remove what is there already with kafka-delete-records, or wait until its retention has`,
    { cause: error },
  )
}

/** ERR_LOG_UNREACHABLE with the reason that kafkajs gives, or {@link unreadableTopic}; errors of ours stay as they are. */
export function unreachable(topic: string, error: unknown): RescindError {
  if (error instanceof RescindError) return error
  const unreadable = unreadableTopic('eventLog.kafka', topic, error)
  if (unreadable !== undefined) return unreadable
  const missing = protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
  const reason = missing
    ? 'it does not exist (any more); create it again, or restart a revoker with eventLog.kafka.createTopic'
    : (error as Error).message
  return new RescindError('ERR_LOG_UNREACHABLE', `the Kafka topic ${topic} cannot be reached: ${reason}`, {
    cause: error,
  })
}
