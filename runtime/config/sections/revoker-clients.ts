/**
 * The clients of the revocation endpoint, and how often they may ask.
 *
 * @module
 */
import Type from 'typebox'
import { count, element, httpUrl, list, secretHash, section, text } from '../fields.ts'

const client = element(
  'One client that may revoke its own tokens: set secretHash, jwksUri, jwksFile or public.',
  {
    id: text('a client id of printable ASCII characters', {
      maxLength: 256,
      pattern: '^[\\u0020-\\u007e]+$',
      description: 'The client_id.',
    }),
    secretHash: Type.Optional(
      secretHash({
        description: 'The scrypt hash of its secret, $scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>.',
      }),
    ),
    jwksUri: Type.Optional(
      httpUrl({ description: 'Where its public keys (JWKS) are: it signs assertions (private_key_jwt).' }),
    ),
    jwksFile: Type.Optional(
      text('the path of a file', {
        maxLength: 4_096,
        description: 'The same as a file, which is read at start.',
      }),
    ),
    public: Type.Boolean({
      default: false,
      errorMessage: 'must be true or false',
      description: 'It has no secret: its client_id is enough to revoke its tokens.',
    }),
    issuer: Type.Optional(
      text('the "issuer" of one of the issuers', {
        maxLength: 2_048,
        description:
          'The issuer whose tokens this client may revoke. May be left out only when exactly one issuer is configured.',
      }),
    ),
  },
)

/** Schema of `revoker.clients`. */
export const clientsSection = list(client, {
  maxItems: 10_000,
  description: 'The clients that may revoke their own tokens.',
})

/** Schema of `revoker.limits`. */
export const limitsSection = section('How often clients may ask; beyond that they get 429.', {
  failuresPerMinute: count({
    default: 30,
    min: 1,
    max: 100_000,
    description:
      'Failed authentications of one client from one address; ten times as many from one address (of IPv6: from one /64).',
  }),
  requestsPerSecond: count({
    default: 1_000,
    min: 1,
    max: 1_000_000,
    description: 'Authenticated requests of one client; not counted by a relay.',
  }),
})
