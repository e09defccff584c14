/**
 * The `enforcer` section: the ext_authz server that Envoy asks.
 *
 * @module
 */
import Type from 'typebox'
import {
  choice,
  count,
  duration,
  list,
  listenAddress,
  remoteAddress,
  section,
  size,
  text,
} from '../fields.ts'
import { enforcerDiscoverySection } from './enforcer-discovery.ts'

const tokenCache = section('The cache of tokens whose signature was verified.', {
  entries: count({ default: 100_000, min: 1, max: 10_000_000, description: 'How many tokens it may hold.' }),
  size: size({ default: '128MiB', min: '1MiB', max: '64GiB', description: 'How much memory it may take.' }),
})

const snapshot = section('What the enforcer knows, on disk: for a restart while no adapter answers.', {
  file: Type.Optional(
    text('the path of a file', {
      maxLength: 4_096,
      description:
        'Where the enforcer stores what it knows; a file for each enforcer. Whoever can write it can restore anything. Default: nowhere.',
    }),
  ),
  saveEvery: duration({
    default: '1m',
    min: '1s',
    max: '1d',
    description: 'How often it is stored, if something has changed; also when the enforcer stops.',
  }),
  useAfter: duration({
    default: '10s',
    min: '0s',
    max: '1h',
    description:
      'How long a starting enforcer waits for an adapter before it decides by what it had stored. Its age counts as staleness.',
  }),
})

/** Schema of `enforcer`. */
export const enforcerSection = section('The enforcer: answers Envoy (ext_authz over gRPC).', {
  address: listenAddress({
    default: '127.0.0.1:8081',
    unix: true,
    description: 'Where Envoy asks (gRPC): host:port, or unix:/path beside a sidecar.',
  }),
  adminAddress: listenAddress({
    default: '127.0.0.1:8082',
    description: 'Where /livez, /readyz and /metrics are served (HTTP).',
  }),
  adapters: list(remoteAddress({ description: 'host:port of an adapter.' }), {
    default: ['127.0.0.1:18000'],
    minItems: 1,
    maxItems: 16,
    uniqueItems: true,
    description: 'The adapters to get revocations from. Any one of them is enough.',
  }),
  discovery: enforcerDiscoverySection,
  label: text('a label', {
    default: 'commonEnforcerLabel',
    maxLength: 256,
    description: 'The node id sent to the adapter. All labels get the same revocations.',
  }),
  instance: Type.Optional(
    text('a name', {
      maxLength: 256,
      description: 'The name of this enforcer in fleet status. Default: the host name and a random suffix.',
    }),
  ),
  clockTolerance: Type.Optional(
    duration({
      min: '0s',
      max: '5m',
      description:
        'Tolerance for exp, nbf and iat. Default: what the adapter says. Above that the enforcer does not become ready.',
    }),
  ),
  maxTokenLifetime: Type.Optional(
    duration({
      min: '1m',
      max: '3650d',
      description:
        'Longest accepted exp - iat. Default: what the adapter says. Above that the enforcer does not become ready.',
    }),
  ),
  whenNotReady: choice(['fail-closed', 'fail-open'], {
    default: 'fail-closed',
    description:
      'Before the first complete snapshot. fail-closed: UNAVAILABLE, Envoy decides. fail-open: requests pass UNCHECKED.',
  }),
  maxStaleness: duration({
    default: '5m',
    min: '1s',
    max: '7d',
    description:
      'Revocations that are older than this count as stale. For as long an adapter remembers an enforcer that has disconnected, and a revoker takes access tokens of administrators without hearing of the log: give them the same.',
  }),
  whenStale: choice(['last-known', 'fail-closed'], {
    default: 'last-known',
    description: 'last-known: go on deciding with what is known, and alarm. fail-closed: UNAVAILABLE.',
  }),
  drainDelay: duration({
    default: '5s',
    min: '0s',
    max: '5m',
    description: 'How long a stopping enforcer serves on after it has reported NOT_SERVING.',
  }),
  errorStyle: choice(['wso2', 'rfc6750', 'none'], {
    default: 'wso2',
    description: 'The body of a denial: WSO2 JSON, RFC 6750 JSON, or none.',
  }),
  tokenCache,
  snapshot,
  maxRevocations: count({
    default: 50_000_000,
    min: 1,
    max: 200_000_000,
    description: 'With more live revocations than this the enforcer is not ready. Nothing is dropped.',
  }),
})
