/**
 * Warns of what leaves the machine without encryption.
 *
 * @module
 */
import { isLoopback, isLoopbackHost } from '../runtime/config/loopback.ts'
import { parseRedisUrl } from '../runtime/config/redis-url.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Role } from './roles.ts'

/** Another server that a part speaks to. */
interface Peer {
  readonly setting: string
  /** Without user and password. */
  readonly where: string
  readonly isRemote: boolean
  readonly isPlain: boolean
  /** What follows from that, where it is worse than being read along. */
  readonly danger?: string
}

/** One line for each setting of a part that is open to other machines, or speaks to them, in the clear. */
export const exposureWarnings = (role: Role, config: Config): string[] => [
  ...listenerWarnings(role, config),
  ...peersOf(role, config)
    .filter(({ isRemote, isPlain }) => isRemote && isPlain)
    .map(({ setting, where, danger }) => `${setting}: ${where} is reached without encryption${danger ?? ''}`),
  ...unsignedLogWarnings(role, config),
]

function listenerWarnings(role: Role, { revoker, adapter, enforcer }: Config): string[] {
  const isEncrypted = adapter.tls.certFile !== undefined
  return Object.entries({ revoker, adapter, enforcer })
    .filter(([part]) => role === 'all' || role === part)
    .flatMap(([part, { address, adminAddress }]) => [
      [`${part}.address`, address] as const,
      [`${part}.adminAddress`, adminAddress] as const,
    ])
    .filter(([setting, address]) => !isLoopback(address) && !(setting === 'adapter.address' && isEncrypted))
    .map(
      ([setting, address]) => `${setting}: ${address} can be reached from other machines, without encryption`,
    )
}

const peersOf = (role: Role, config: Config): Peer[] => [
  ...(role === 'enforcer' ? [adapterPeers(config)] : logPeers(config)),
  ...(role === 'enforcer' || role === 'adapter' ? [] : sourcePeers(config)),
  ...(role === 'adapter' ? [] : issuerPeers(config)),
]

const adapterPeers = ({ enforcer: { adapters, discovery } }: Config): Peer => ({
  setting: 'enforcer.adapters',
  where: adapters.filter(address => !isLoopback(address)).join(', '),
  isRemote: !adapters.every(isLoopback),
  isPlain: !discovery.tls.enabled,
  danger: '; whoever can write on the wire can restore anything',
})

function logPeers({ eventLog }: Config): Peer[] {
  if (eventLog.driver === 'redis') return [redisPeer('eventLog.redis', eventLog.redis.url)]
  return eventLog.driver === 'kafka' ? [kafkaPeer('eventLog.kafka', eventLog.kafka)] : []
}

const sourcePeers = ({ revoker: { confirmation, grants, inbox, eventHub, relay } }: Config): Peer[] => [
  ...(grants.store === 'redis' ? [redisPeer('revoker.grants.redis', grants.redis.url)] : []),
  ...Object.entries({
    endpoint: relay.endpoint,
    'introspection.endpoint': relay.introspection.endpoint,
  }).flatMap(([name, url]) => (url === undefined ? [] : [urlPeer(`revoker.relay.${name}`, url)])),
  ...confirmation.adapters.map(adapter => ({
    ...urlPeer('revoker.confirmation.adapters', adapter.replace(/^dns\+/, '')),
    danger: '; whoever can write on the wire can say that everything is enforced',
  })),
  ...inbox.flatMap(({ kafka, redis, transmitters }, index) => [
    ...(kafka === undefined ? [] : [kafkaPeer(`revoker.inbox[${index}].kafka`, kafka)]),
    ...(redis === undefined ? [] : [redisPeer(`revoker.inbox[${index}].redis`, redis.url)]),
    ...transmitters.map(({ jwksUri, issuer }, place) =>
      keysPeer(`revoker.inbox[${index}].transmitters[${place}]`, jwksUri ?? issuer, 'security event tokens'),
    ),
  ]),
  ...eventHub.brokers.map(broker => urlPeer('revoker.eventHub.brokers', broker)),
  ...(eventHub.refill.url === undefined ? [] : [urlPeer('revoker.eventHub.refill.url', eventHub.refill.url)]),
]

const issuerPeers = ({ issuers }: Config): Peer[] =>
  issuers.map(({ jwksUri, issuer }, index) => keysPeer(`issuers[${index}]`, jwksUri ?? issuer, 'tokens'))

const keysPeer = (setting: string, uri: string, what: string): Peer => ({
  ...urlPeer(setting, uri),
  danger: `; whoever can change the keys on their way can forge ${what}`,
})

function redisPeer(setting: string, text: string): Peer {
  const { tls, nodes } = parseRedisUrl(text, setting)
  const isRemote = nodes.some(({ host }) => !isLoopbackHost(host))
  return { setting: `${setting}.url`, where: 'Redis', isRemote, isPlain: !tls }
}

interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly tls: { readonly enabled: boolean }
}

const kafkaPeer = (setting: string, { brokers, tls }: KafkaSettings): Peer => ({
  setting: `${setting}.brokers`,
  where: 'Kafka',
  isRemote: !brokers.every(isLoopback),
  isPlain: !tls.enabled,
})

const plainSchemes = new Set(['http:', 'amqp:'])

function urlPeer(setting: string, text: string): Peer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return {
    setting,
    where: url?.host ?? '',
    isRemote: url !== undefined && !isLoopbackHost(url.hostname),
    isPlain: plainSchemes.has(url?.protocol ?? ''),
  }
}

function unsignedLogWarnings(role: Role, config: Config): string[] {
  const isShared = role !== 'enforcer' && logPeers(config).some(({ isRemote }) => isRemote)
  if (!isShared || config.eventLog.key !== undefined) return []
  return ['eventLog.key is not set: whoever can write to the event log can revoke and restore anything']
}
