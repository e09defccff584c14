/**
 * The `revoker.admin` section: who may use the admin API.
 *
 * @module
 */
import Type from 'typebox'
import { element, list, secretHash, section, text } from '../fields.ts'

const adminToken = element('One bearer token of an administrator.', {
  name: text('a name', { maxLength: 256, description: 'Whose token it is: named in logs and as the actor.' }),
  hash: secretHash({
    description: 'The scrypt hash of the token, $scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>.',
  }),
})

const accessTokens = element('Access tokens (JWT) that the admin API takes.', {
  issuer: text('the "issuer" of one of the issuers', {
    maxLength: 2_048,
    description: 'The issuer of the access tokens of administrators: one of the issuers.',
  }),
  audience: text('an "aud" value', {
    maxLength: 2_048,
    description:
      'Their audience: the name of this admin API, and of nothing else, or tokens for another API would be taken.',
  }),
  scope: text('a scope of printable ASCII characters without spaces', {
    maxLength: 256,
    pattern: '^[\\u0021\\u0023-\\u005b\\u005d-\\u007e]+$',
    description: 'What their "scope" (or "scp") must contain.',
  }),
})

/** Schema of `revoker.admin`. */
export const adminApiSection = section('Who may use the admin API. With nobody it is off.', {
  tokens: list(adminToken, { maxItems: 16, description: 'The bearer tokens of the admin API.' }),
  jwt: Type.Optional(accessTokens),
  certificates: list(
    text('a name in a certificate with its kind, as uri:spiffe://corp/ops, dns:ops.corp or cn:ops', {
      maxLength: 260,
      pattern: '^(uri|dns|cn):[\\u0020-\\u007e]+$',
      description:
        'The name of a client certificate, with its kind: its first URI (uri:), else its first DNS name (dns:), else its common name (cn:).',
    }),
    {
      maxItems: 64,
      uniqueItems: true,
      description: 'Whose client certificates let use the admin API; needs revoker.tls.clientCaFile.',
    },
  ),
})
