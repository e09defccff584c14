/**
 * The `enforcer.discovery` section: how the enforcer gets its revocations.
 *
 * @module
 */
import { choice, duration, section } from '../fields.ts'
import { switchedClientTls } from './client-tls.ts'

/** Schema of `enforcer.discovery`. */
export const enforcerDiscoverySection = section('How the enforcer gets revocations from its adapters.', {
  protocol: choice(['delta', 'sotw'], {
    default: 'delta',
    description:
      "delta: adapters of Rescind. sotw: adapters of WSO2 Choreo Connect, which cannot keep all of Rescind's promises.",
  }),
  readyAfter: duration({
    default: '5s',
    min: '0s',
    max: '5m',
    description:
      'Only with sotw, whose adapters do not say when they have sent everything: how long a stream must have been open before the enforcer is ready.',
  }),
  tls: switchedClientTls('TLS towards the adapters; the files are read again when they change.'),
})
