/**
 * Event logs on a Kafka broker, a topic each, for tests.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { type KafkaLogOptions, openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import { createLogUnderTest, type LogUnderTest } from '../conformance/log-under-test.ts'
import { createKeptLogger } from './kept-logger.ts'

/** A topic's name that nobody else uses. */
export const newTopic = (): string => `rescind.test-${randomUUID()}`

const daySeconds = 86_400

/** What a revoker's process opens the log with; the topic is created. */
export const kafkaLogOptions = (
  brokers: readonly string[],
  changes: Partial<KafkaLogOptions> = {},
): KafkaLogOptions => ({
  brokers,
  topic: newTopic(),
  clientId: 'rescind-test',
  createTopic: { retentionSeconds: 31 * daySeconds },
  requiredRetentionSeconds: 31 * daySeconds,
  writes: true,
  appendTimeoutMs: 10_000,
  codec: createEventCodec(),
  logger: createKeptLogger().logger,
  ...changes,
})

/** A log in a new topic. */
export const createKafkaLogUnderTest = (brokers: readonly string[]): LogUnderTest => {
  const options = kafkaLogOptions(brokers)
  return createLogUnderTest(() => openKafkaLog(options))
}
