/**
 * What adapters say of their enforcers, made up.
 *
 * @module
 */
import type { EnforcerView, FleetView } from '../../revoker/confirmation/fleet-view.ts'
import type { AdapterAnswer, PublishedVersion } from '../../revoker/confirmation/verdict.ts'

/** What was published in these tests: version 7. */
export const published: PublishedVersion = { version: 7, epoch: 'epoch', isByJti: false }

/** A connected enforcer with a certificate, which has version 7. */
export const enforcerView = (instance: string, more: Partial<EnforcerView> = {}): EnforcerView => ({
  label: 'label',
  instance,
  identity: `spiffe://shop/${instance}`,
  connected: true,
  partial: false,
  leastAckedVersion: 7,
  nackError: undefined,
  ...more,
})

/** An adapter that has been there for long, has version 7 and knows these enforcers. */
export const fleetView = (nodes: readonly EnforcerView[], more: Partial<FleetView> = {}): FleetView => ({
  epoch: 'epoch',
  ready: true,
  incomplete: false,
  settled: true,
  known: 'confirmed',
  nodes,
  ...more,
})

/** The same as the answer of adapter `a`. */
export const answerOf = (nodes: readonly EnforcerView[], more: Partial<FleetView> = {}): AdapterAnswer => ({
  adapter: 'a',
  view: fleetView(nodes, more),
})
