/**
 * The `revoker.grants` section: the token registry, and who tells it of the tokens that were issued.
 *
 * @module
 */
import { choice, element, list, secretHash, section, text } from '../fields.ts'
import { redisSection } from './event-log-redis.ts'

const { url, username, password, sentinelPassword, tls } = redisSection.properties

const feeder = element('Who may report tokens at POST /grants.', {
  name: text('a name', {
    maxLength: 256,
    description: 'Whose token it is: named in logs and as the actor of revocations.',
  }),
  hash: secretHash({
    description: 'The scrypt hash of its bearer token, $scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>.',
  }),
  issuers: list(text('an issuer', { maxLength: 2_048, description: 'The "issuer" of one of the issuers.' }), {
    minItems: 1,
    maxItems: 16,
    uniqueItems: true,
    description: 'The issuers whose tokens it may report.',
  }),
})

/** Schema of `revoker.grants`. */
export const grantsSection = section(
  'The token registry: which access and refresh tokens were issued together, to whom.',
  {
    store: choice(['none', 'lmdb', 'redis'], {
      default: 'none',
      description:
        'Where it lies. none: there is no registry. lmdb: in a folder, for a single revoker process. redis: for any number of revokers.',
    }),
    folder: text('the path of a folder', {
      default: './rescind-data/grants',
      maxLength: 4_096,
      description: 'With store lmdb: the folder, of its own; it is created.',
    }),
    redis: section('With store redis: the Redis that holds the grants.', {
      url,
      username,
      password,
      sentinelPassword,
      prefix: text('letters, digits and . _ : -', {
        default: 'rescind-grants',
        maxLength: 128,
        pattern: '^[A-Za-z0-9._:-]+$',
        description:
          'The keys begin with {prefix}: braces included, so that a cluster keeps them together. They must not be evicted: maxmemory-policy noeviction.',
      }),
      tls,
    }),
    feeders: list(feeder, { maxItems: 16, description: 'Who may report tokens at POST /grants.' }),
  },
)
