/**
 * The `eventLog.kafka` section: the log as a topic with one partition in Kafka.
 *
 * @module
 */
import Type from 'typebox'
import { choice, count, element, list, remoteAddress, section, text } from '../fields.ts'
import { switchedClientTls } from './client-tls.ts'

const sasl = element('How to log in at the brokers.', {
  mechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512'], {
    description:
      'The SASL mechanism. plain sends the password, so it needs TLS unless the brokers are on this machine.',
  }),
  username: text('a user name', { maxLength: 256, description: 'User name.' }),
  password: text('a password', { maxLength: 1_024, writeOnly: true, description: 'Its password.' }),
})

/** Schema of `eventLog.kafka`. */
export const kafkaSection = section('With driver kafka: the topic that is the log.', {
  brokers: list(remoteAddress({ description: 'host:port of a broker.' }), {
    default: ['127.0.0.1:9092'],
    minItems: 1,
    maxItems: 64,
    uniqueItems: true,
    description: 'Some brokers of the cluster; the others are learned from them.',
  }),
  topic: text('letters, digits and . _ -', {
    default: 'rescind.revocations',
    maxLength: 249,
    pattern: '^[A-Za-z0-9._-]+$',
    description:
      'The topic: one partition, cleanup.policy=delete, retention.bytes=-1, message.timestamp.type=LogAppendTime, compression.type=uncompressed, retention.ms longer than tokens live.',
  }),
  clientId: text('letters, digits and . _ -', {
    default: 'rescind',
    maxLength: 128,
    pattern: '^[A-Za-z0-9._-]+$',
    description:
      'The name that brokers see. Consumer groups are called <clientId>-<random>; nothing is committed.',
  }),
  createTopic: Type.Boolean({
    default: true,
    description: 'Whether a missing topic is created at the start, with the settings that it must have.',
    errorMessage: 'must be true or false',
  }),
  replicationFactor: Type.Optional(
    count({
      min: 1,
      max: 32,
      description:
        'Copies of a topic that is created. Default: 3, or the number of brokers if there are fewer. From 3 on min.insync.replicas is 2.',
    }),
  ),
  tls: switchedClientTls('TLS towards the brokers.'),
  sasl: Type.Optional(sasl),
})
