/**
 * The `eventLog` section: where revocations are stored, durable and in order.
 *
 * @module
 */
import Type from 'typebox'
import { choice, duration, section, text } from '../fields.ts'
import { kafkaSection } from './event-log-kafka.ts'
import { redisSection } from './event-log-redis.ts'

/** Schema of `eventLog`. */
export const eventLogSection = section('Where revocations are stored, durable and in order.', {
  driver: choice(['embedded', 'redis', 'kafka'], {
    default: 'embedded',
    description:
      'embedded: a database file (LMDB) in the process of `rescind all`. redis, kafka: shared by revokers and adapters.',
  }),
  key: Type.Optional(
    text('at least 32 characters', {
      maxLength: 1_024,
      pattern: '^[\\u0020-\\u007e]{32,}$',
      writeOnly: true,
      description:
        'Key of the HMAC that our events carry, the same at every revoker and adapter. With it, events without it are refused.',
    }),
  ),
  folder: text('the path of a folder', {
    default: './rescind-data/log',
    maxLength: 4_096,
    description: 'Folder of the embedded log. It is created when missing; keep it on a durable volume.',
  }),
  appendTimeout: duration({
    default: '5s',
    min: '10ms',
    max: '1m',
    description: 'A revocation that is not stored by then is answered with 503 "may have been stored".',
  }),
  redis: redisSection,
  kafka: kafkaSection,
})
