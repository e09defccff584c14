/**
 * The `eventLog.redis` section: the log as a stream in Redis.
 *
 * @module
 */
import Type from 'typebox'
import { count, section, text } from '../fields.ts'
import { parseRedisUrl } from '../redis-url.ts'
import { clientTlsSection } from './client-tls.ts'

const isRedisUrl = (url: string): boolean => {
  try {
    parseRedisUrl(url)
    return true
  } catch {
    return false
  }
}

/** A password; errors never show its value. */
const password = (description: string) =>
  Type.Optional(text('a password', { maxLength: 1_024, writeOnly: true, description }))

/** Schema of `eventLog.redis`. */
export const redisSection = section('With driver redis: the stream in Redis that is the log.', {
  url: Type.Refine(
    text(
      'redis://host:port/db, redis+sentinel://host:port,host:port/master-name or redis+cluster://host:port,host:port (rediss for TLS); a password belongs in eventLog.redis.password',
      {
        default: 'redis://127.0.0.1:6379',
        maxLength: 2_048,
        description:
          'redis://host:port/db, redis+sentinel://host:port,host:port/master-name, or redis+cluster://host:port,host:port; rediss instead of redis for TLS. An ACL user may stand before an @, a password may not.',
      },
    ),
    isRedisUrl,
  ),
  username: Type.Optional(
    text('the name of an ACL user', { maxLength: 256, description: 'ACL user; also possible in the url.' }),
  ),
  password: password('Password of the user.'),
  sentinelPassword: password('Password of the sentinels, if they have one.'),
  prefix: text('letters, digits and . _ : -', {
    default: 'rescind',
    maxLength: 128,
    pattern: '^[A-Za-z0-9._:-]+$',
    description:
      'The keys are {prefix}:log and {prefix}:meta, braces included, so that a cluster keeps them together.',
  }),
  waitReplicas: count({
    default: 0,
    min: 0,
    max: 10,
    description:
      'A revocation is answered only when so many replicas have it (WAIT). Fewer within eventLog.appendTimeout: 503 "may have been stored".',
  }),
  tls: clientTlsSection,
})
