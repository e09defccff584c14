/**
 * The `revoker` section: the RFC 7009 endpoint, its clients and administrators.
 *
 * @module
 */
import { count, listenAddress, section } from '../fields.ts'
import { adminApiSection } from './admin-api.ts'
import { confirmationSection } from './confirmation.ts'
import { eventHubSection } from './event-hub.ts'
import { grantsSection } from './grants.ts'
import { inboxSection } from './inbox.ts'
import { relaySection } from './relay.ts'
import { clientsSection, limitsSection } from './revoker-clients.ts'
import { httpProperties } from './revoker-http.ts'

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
  admin: adminApiSection,
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
