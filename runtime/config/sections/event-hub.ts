/**
 * The `revoker.eventHub` section: following the event hub of WSO2 API Manager.
 *
 * @module
 */
import Type from 'typebox'
import { count, duration, httpUrl, list, section, text } from '../fields.ts'
import { clientTlsSection } from './client-tls.ts'

const secret = (description: string) =>
  Type.Optional(text('a password', { maxLength: 1_024, writeOnly: true, description }))

const name = (description: string) => Type.Optional(text('a user name', { maxLength: 256, description }))

const queue = section('The queue at the broker in which messages wait for us.', {
  name: text('the name of a queue', {
    default: 'rescind',
    maxLength: 200,
    description: 'Its name. Revokers on the same event log share one.',
  }),
  durable: Type.Boolean({
    default: true,
    errorMessage: 'must be true or false',
    description:
      'Ask for a queue that outlives the connection. Where the broker does not allow it, a temporary one is used.',
  }),
  expires: duration({
    default: '1d',
    min: '1m',
    max: '30d',
    description:
      'How long the broker keeps the durable queue, and what is in it, while no revoker consumes it. A queue that is there already stays as it is.',
  }),
})

const refill = section('The list of revoked tokens of the event hub, read after each connect.', {
  url: Type.Optional(
    httpUrl({
      description: 'Base URL of the event hub, for example https://apim.example:9443. None: no refill.',
    }),
  ),
  username: name('User name (HTTP Basic).'),
  password: secret('Its password.'),
  timeout: duration({
    default: '30s',
    min: '1s',
    max: '10m',
    description: 'Longest silence of the event hub.',
  }),
  tls: clientTlsSection,
})

/** Schema of `revoker.eventHub`. */
export const eventHubSection = section(
  'The event hub of WSO2 API Manager (AMQP 0-9-1). It is followed when brokers are given.',
  {
    brokers: list(
      text('amqp://host:port/vhost or amqps://..., without user, password and numeric IPv6 address', {
        maxLength: 2_048,
        pattern: '^amqps?://[^/@\\[\\]?#]+(/[^/?#]*)?$',
        description: 'amqp:// or amqps:// URL of a broker.',
      }),
      {
        maxItems: 16,
        uniqueItems: true,
        description:
          'The brokers. When the connection to one is lost, the next is tried. Scheme and vhost must be the same.',
      },
    ),
    username: name('User name at the brokers.'),
    password: secret('Its password.'),
    tls: clientTlsSection,
    exchange: text('the name of an exchange', {
      default: 'amq.topic',
      maxLength: 200,
      description: 'The exchange that the event hub publishes to.',
    }),
    routingKey: text('a routing key', {
      default: 'tokenRevocation',
      maxLength: 200,
      description: 'The routing key of revocations.',
    }),
    queue,
    prefetch: count({
      default: 50,
      min: 1,
      max: 10_000,
      description: 'How many messages may be under way, and so in memory, at once.',
    }),
    issuers: list(
      text('the "issuer" of one of the issuers', { maxLength: 2_048, description: 'One issuer.' }),
      {
        maxItems: 16,
        uniqueItems: true,
        description:
          'Only tokens of these issuers are revoked: one revocation for each. Empty: whatever the issuer, for the event hub names none.',
      },
    ),
    refill,
  },
)
