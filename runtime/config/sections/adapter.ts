/**
 * The `adapter` section: the discovery server that streams revocations to enforcers.
 *
 * @module
 */
import Type from 'typebox'
import { count, duration, listenAddress, section, text } from '../fields.ts'

const file = (description: string) =>
  Type.Optional(text('the path of a file', { maxLength: 4_096, description }))

const tls = section('TLS for enforcers; the files hold PEM and are read again when they change.', {
  certFile: file('The certificate of the adapter, with those between it and the authority. Turns TLS on.'),
  keyFile: file('The private key of certFile.'),
  clientCaFile: file(
    'Certificates of the authorities of the enforcers. Turns mTLS on: whoever has no certificate of theirs gets nothing.',
  ),
})

/** Schema of `adapter`. */
export const adapterSection = section('The adapter: streams revocations to enforcers over gRPC.', {
  address: listenAddress({ default: '127.0.0.1:18000', description: 'Where enforcers connect (gRPC).' }),
  adminAddress: listenAddress({
    default: '127.0.0.1:18001',
    description: 'Where /livez, /readyz, /metrics and the fleet (/ and /nodes) are served (HTTP).',
  }),
  tls,
  dataFolder: Type.Optional(
    text('the path of a folder', {
      maxLength: 4_096,
      description:
        'Where the adapter keeps what it knows, so that it starts quickly and goes on enforcing what a damaged log has lost. Never inside eventLog.folder. Default: nowhere.',
    }),
  ),
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
    description:
      'Further enforcers are refused (RESOURCE_EXHAUSTED). Enforcers that have disconnected are remembered while there is room within this number.',
  }),
})
