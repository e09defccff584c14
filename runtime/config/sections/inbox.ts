/**
 * The `revoker.inbox` section: Kafka topics and Redis streams that others write revocations to.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import { foreignFormats } from '../../../revocation/formats/foreign-formats.ts'
import { choice, element, httpUrl, list, remoteAddress, text } from '../fields.ts'
import { kafkaSection } from './event-log-kafka.ts'
import { redisSection } from './event-log-redis.ts'

const formatNames = [...foreignFormats.map(({ name }) => name), 'tokens-issued']

const issuerName = (description: string) => text('an issuer', { maxLength: 2_048, description })

const kafka = element('A Kafka topic, with any number of partitions.', {
  brokers: list(remoteAddress({ description: 'host:port of a broker.' }), {
    minItems: 1,
    maxItems: 32,
    uniqueItems: true,
    description: 'Some of the brokers; the others are learned from them.',
  }),
  topic: text('the name of a topic', {
    maxLength: 249,
    pattern: '^[A-Za-z0-9._-]+$',
    description: 'The topic.',
  }),
  groupId: text('a name', {
    default: 'rescind',
    maxLength: 256,
    description: 'The consumer group: the same for all revokers. A new one begins with the oldest message.',
  }),
  clientId: text('a name', { default: 'rescind', maxLength: 256, description: 'The name that brokers see.' }),
  tls: kafkaSection.properties.tls,
  sasl: kafkaSection.properties.sasl,
})

const { url, username, password, sentinelPassword, tls } = redisSection.properties

const redis = element('A Redis stream. The field `event` of an entry holds the message.', {
  url,
  username,
  password,
  sentinelPassword,
  stream: text('the name of a key', { maxLength: 512, description: 'The key of the stream.' }),
  group: text('a name', {
    default: 'rescind',
    maxLength: 256,
    description:
      'The consumer group: the same for all revokers. It is created, and then begins with the oldest entry.',
  }),
  tls,
})

const transmitter = element('Who sends security event tokens (SET).', {
  issuer: issuerName('The exact "iss" value of its SETs.'),
  jwksUri: Type.Optional(
    httpUrl({ description: 'Where its public keys (JWKS) are. Default: what its metadata says.' }),
  ),
  audiences: list(text('an "aud" value', { maxLength: 2_048, description: 'One accepted "aud" value.' }), {
    minItems: 1,
    maxItems: 16,
    uniqueItems: true,
    description: 'A SET must be for one of these.',
  }),
  issuers: list(issuerName('The "issuer" of one of the issuers.'), {
    maxItems: 16,
    uniqueItems: true,
    description: 'The issuers whose tokens it may revoke. Empty: its own.',
  }),
})

const inbox = element('One inbox: set kafka or redis.', {
  name: text('a name of letters, digits and . _ -', {
    maxLength: 64,
    pattern: '^[A-Za-z0-9._-]+$',
    description:
      'Named in logs, metrics and as the actor of its revocations. Another name makes a repeat a new revocation.',
  }),
  kafka: Type.Optional(kafka),
  redis: Type.Optional(redis),
  formats: list(choice(formatNames, { description: 'One format.' }), {
    minItems: 1,
    maxItems: 8,
    uniqueItems: true,
    description: 'The formats that are accepted.',
  }),
  issuers: list(issuerName('The "issuer" of one of the issuers.'), {
    minItems: 1,
    maxItems: 16,
    uniqueItems: true,
    description:
      'The issuers whose tokens may be revoked. A format that names no issuer (wso2-event-hub) revokes for each of them.',
  }),
  key: Type.Optional(
    text('at least 16 characters', {
      maxLength: 1_024,
      pattern: '^[^\\u0000-\\u001f\\u007f]{16,}$',
      writeOnly: true,
      description: 'Accept only cloudevents that carry an HMAC made with this key.',
    }),
  ),
  transmitters: list(transmitter, {
    maxItems: 16,
    description: 'For the format set-caep: who may send, and whose keys verify it.',
  }),
})

/** Schema of `revoker.inbox`. */
export const inboxSection = list(inbox, {
  maxItems: 16,
  description: 'Kafka topics and Redis streams that others write revocations to.',
})

/** An inbox as it is written. */
export type InboxConfig = Static<typeof inbox>
