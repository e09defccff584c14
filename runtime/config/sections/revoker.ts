/**
 * The `revoker` section: the RFC 7009 endpoint, its clients and administrators.
 *
 * @module
 */
import Type from 'typebox'
import { count, element, list, listenAddress, secretHash, section, text } from '../fields.ts'
import { adminApiSection } from './admin-api.ts'
import { eventHubSection } from './event-hub.ts'
import { inboxSection } from './inbox.ts'

const client = element('One client that may revoke its own tokens.', {
  id: text('a client id of printable ASCII characters', {
    maxLength: 256,
    pattern: '^[\\u0020-\\u007e]+$',
    description: 'The client_id.',
  }),
  secretHash: secretHash({
    description: 'The scrypt hash of its secret, $scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>.',
  }),
  issuer: Type.Optional(
    text('the "issuer" of one of the issuers', {
      maxLength: 2_048,
      description:
        'The issuer whose tokens this client may revoke. May be left out only when exactly one issuer is configured.',
    }),
  ),
})

/** Schema of `revoker`. */
export const revokerSection = section('The revocation endpoint (RFC 7009), its clients and administrators.', {
  address: listenAddress({
    default: '127.0.0.1:8280',
    description: 'Where POST /oauth2/revoke, POST /revoke and the admin API are served.',
  }),
  adminAddress: listenAddress({
    default: '127.0.0.1:8281',
    description: 'Where /livez, /readyz and /metrics are served (HTTP).',
  }),
  tenantDomain: text('a domain such as carbon.super', {
    default: 'carbon.super',
    maxLength: 253,
    pattern: '^[A-Za-z0-9._-]+$',
    description: 'The domain after the user name in the AuthorizedUser response header (WSO2).',
  }),
  clients: list(client, {
    maxItems: 10_000,
    description: 'The clients that may revoke their own tokens.',
  }),
  admin: adminApiSection,
  inbox: inboxSection,
  eventHub: eventHubSection,
  maxRevocations: count({
    default: 5_000_000,
    min: 1,
    max: 16_000_000,
    description: 'With this many live revocations further ones are refused with 503. Nothing is dropped.',
  }),
})
