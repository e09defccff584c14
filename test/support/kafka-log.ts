/**
 * Event logs on a Kafka broker, a topic each, for tests.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { type KafkaLogOptions, openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createLogUnderTest, type LogUnderTest } from '../conformance/log-under-test.ts'

/** A topic's name that nobody else uses. */
export const newTopic = (): string => `rescind.test-${randomUUID()}`

/** A line that was logged. */
export interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps what an operator would see. */
export function createKeptLogger(): { readonly logger: Logger; readonly lines: readonly LoggedLine[] } {
  const lines: LoggedLine[] = []
  const keep = (level: LoggedLine['level']) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as LoggedLine['fields'] })
  }
  const drop = () => undefined
  const logger = { level: 'info', trace: drop, debug: drop, info: keep('info'), warn: keep('warn') }
  return { logger: { ...logger, error: keep('error'), fatal: keep('error') }, lines }
}

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
