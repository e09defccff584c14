/**
 * The `revoker` section: the RFC 7009 endpoint, its clients and administrators.
 *
 * @module
 */
import { count, element, list, listenAddress, secretHash, section, text } from '../fields.ts'
import { confirmationSection } from './confirmation.ts'
import { eventHubSection } from './event-hub.ts'
import { grantsSection } from './grants.ts'
import { inboxSection } from './inbox.ts'
import { relaySection } from './relay.ts'
import { clientsSection, limitsSection } from './revoker-clients.ts'
import { httpProperties } from './revoker-http.ts'

const adminToken = element('One bearer token of an administrator.', {
  name: text('a name', { maxLength: 256, description: 'Whose token it is: named in logs and as the actor.' }),
  hash: secretHash({
    description: 'The scrypt hash of the token, $scrypt$ln=15,r=8,p=1$<base64 salt>$<base64 hash>.',
  }),
})

/** Schema of `revoker`. */
export const revokerSection = section('The revocation endpoint (RFC 7009), its clients and administrators.', {
  ...httpProperties,
  adminAddress: listenAddress({
    default: '127.0.0.1:8281',
    description: 'Where /livez, /readyz and /metrics are served (HTTP).',
  }),
  clients: clientsSection,
  relay: relaySection,
  limits: limitsSection,
  admin: section('Who may use the admin API.', {
    tokens: list(adminToken, { maxItems: 16, description: 'The bearer tokens of the admin API.' }),
  }),
  grants: grantsSection,
  confirmation: confirmationSection,
  inbox: inboxSection,
  eventHub: eventHubSection,
  maxRevocations: count({
    default: 5_000_000,
    min: 1,
    max: 16_000_000,
    description: 'With this many live revocations further ones are refused with 503. Nothing is dropped.',
  }),
})
