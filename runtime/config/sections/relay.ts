/**
 * The `revoker.relay` section: passing revocations on to an identity provider.
 *
 * @module
 */
import Type from 'typebox'
import { choice, duration, httpUrl, section, text } from '../fields.ts'
import { clientTlsSection } from './client-tls.ts'

/** Schema of `revoker.relay`. */
export const relaySection = section(
  'Passing revocations on to the identity provider, whose answer decides. On when endpoint is set.',
  {
    endpoint: Type.Optional(
      httpUrl({ description: "The identity provider's own revocation endpoint (RFC 7009)." }),
    ),
    issuer: Type.Optional(
      text('the "issuer" of one of the issuers', {
        maxLength: 2_048,
        description: 'The issuer of its tokens. May be left out only when exactly one issuer is configured.',
      }),
    ),
    preset: choice(['generic', 'keycloak', 'wso2'], {
      default: 'generic',
      description:
        'How it says that a token is revoked, and what a refresh token takes with it (docs/revoker.md).',
    }),
    introspection: section(
      'Its introspection endpoint (RFC 7662), asked what a token is before it is revoked.',
      {
        endpoint: Type.Optional(
          httpUrl({ description: 'Where it is. Asked for all tokens but access tokens that verify.' }),
        ),
        clientId: Type.Optional(text('a client id', { maxLength: 256, description: 'Our client_id there.' })),
        clientSecret: Type.Optional(
          text('a secret', { maxLength: 1_024, writeOnly: true, description: 'Our secret there.' }),
        ),
      },
    ),
    revokeAnyway: Type.Boolean({
      default: false,
      errorMessage: 'must be true or false',
      description:
        'While the identity provider cannot be reached: revoke access tokens that verify, for clients of revoker.clients. Otherwise the answer is 503.',
    }),
    timeout: duration({
      default: '5s',
      min: '100ms',
      max: '60s',
      description: 'For one request to the identity provider.',
    }),
    folder: text('the path of a folder', {
      default: './rescind-data/relay',
      maxLength: 4_096,
      description:
        'Where it is kept what is being revoked, so that a crash loses nothing. Of one process, on a disk that lasts.',
    }),
    tls: clientTlsSection,
  },
)
