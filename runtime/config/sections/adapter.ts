/**
 * The `adapter` section: the discovery server that streams revocations to enforcers.
 *
 * @module
 */
import { count, duration, listenAddress, section } from '../fields.ts'

/** Schema of `adapter`. */
export const adapterSection = section('The adapter: streams revocations to enforcers over gRPC.', {
  address: listenAddress({ default: '127.0.0.1:18000', description: 'Where enforcers connect (gRPC).' }),
  adminAddress: listenAddress({
    default: '127.0.0.1:18001',
    description: 'Where /livez, /readyz and /metrics are served (HTTP).',
  }),
  streamMaxAge: duration({
    default: '30m',
    min: '1s',
    max: '7d',
    description: 'Streams end after about this time, so that enforcers spread over all adapters again.',
  }),
  maxStreams: count({
    default: 10_000,
    min: 1,
    max: 100_000,
    description: 'Further enforcers are refused (RESOURCE_EXHAUSTED).',
  }),
})
