/**
 * The `issuers` section: whose access tokens are accepted, and with which keys they are verified.
 *
 * @module
 */
import Type from 'typebox'
import { duration, element, httpUrl, list, text } from '../fields.ts'

const algorithm = Type.Enum(
  ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  {
    description: 'A signature algorithm (JWS "alg") with a public key.',
    errorMessage:
      'must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519; none and HS* are never accepted, because anybody could sign with them',
  },
)

const issuer = element('One issuer of access tokens.', {
  issuer: text('the exact "iss" value of the tokens, for example https://idp.example.com', {
    maxLength: 2_048,
    description: 'The exact "iss" value of its tokens.',
  }),
  jwksUri: Type.Optional(
    httpUrl({
      description:
        'Where its public keys (JWKS) are. Default: what its metadata (OpenID Connect Discovery or RFC 8414) says; needed when the issuer is not an http(s) URL.',
    }),
  ),
  audiences: list(text('an "aud" value', { maxLength: 2_048, description: 'One accepted "aud" value.' }), {
    maxItems: 64,
    uniqueItems: true,
    description: 'A token must be for one of these audiences ("aud"). Empty: any audience is accepted.',
  }),
  algorithms: list(algorithm, {
    default: [
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ],
    minItems: 1,
    maxItems: 11,
    uniqueItems: true,
    description: 'The signature algorithms that are accepted.',
  }),
  jwksRefresh: duration({
    default: '5m',
    min: '1s',
    max: '1d',
    description: 'How often the keys are fetched again. A key id that is not known also makes a fetch.',
  }),
  jwksMaxAge: duration({
    default: '1h',
    min: '1s',
    max: '30d',
    description:
      'How long the keys that were fetched last stay in use while fetching them again fails. After that no token of this issuer can be verified until a fetch succeeds. Not less than jwksRefresh.',
  }),
})

/** Schema of `issuers`. */
export const issuersSection = list(issuer, {
  maxItems: 64,
  description: 'The issuers (identity providers) whose access tokens are accepted.',
})
