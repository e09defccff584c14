/**
 * Warns of what leaves the machine without encryption.
 *
 * @module
 */
import { parseAddress } from '../runtime/config/address.ts'
import { parseRedisUrl } from '../runtime/config/redis-url.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Role } from './roles.ts'

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|::1)$/

/** One line for each setting of a part that is open to other machines, or fetched from them, in the clear. */
export function exposureWarnings(role: Role, config: Config): string[] {
  const listening: [setting: string, address: string, roles: readonly Role[]][] = [
    ['revoker.address', config.revoker.address, ['all', 'revoker']],
    ['revoker.adminAddress', config.revoker.adminAddress, ['all', 'revoker']],
    ['adapter.address', config.adapter.address, ['all', 'adapter']],
    ['adapter.adminAddress', config.adapter.adminAddress, ['all', 'adapter']],
    ['enforcer.address', config.enforcer.address, ['all', 'enforcer']],
    ['enforcer.adminAddress', config.enforcer.adminAddress, ['all', 'enforcer']],
  ]
  return [
    ...listening
      .filter(([, address, roles]) => roles.includes(role) && !isLocal(address))
      .map(
        ([setting, address]) =>
          `${setting}: ${address} can be reached from other machines, without encryption`,
      ),
    ...eventLogWarnings(role, config),
    ...config.issuers
      .map(({ jwksUri, issuer }) => jwksUri ?? issuer)
      .filter(isPlainRemote)
      .map(
        uri =>
          `issuers: keys are fetched from ${uri} without encryption; whoever can change them can forge tokens`,
      ),
  ]
}

function eventLogWarnings(role: Role, { eventLog, revoker }: Config): string[] {
  if (role === 'enforcer') return []
  const { driver, key, redis, kafka } = eventLog
  const url = parseRedisUrl(redis.url)
  const isRemote =
    (driver === 'redis' && url.nodes.some(({ host }) => !loopbackHost.test(host))) ||
    (driver === 'kafka' && !kafka.brokers.every(isLocal))
  const isPlain = driver === 'redis' ? !url.tls : !kafka.tls.enabled
  return [
    ...(isRemote && isPlain ? [`eventLog.${driver}: ${driver} is reached without encryption`] : []),
    ...(isRemote && key === undefined
      ? ['eventLog.key is not set: whoever can write to the event log can revoke and restore anything']
      : []),
    ...(role === 'adapter' ? [] : revoker.eventHub.brokers)
      .filter(broker => broker.startsWith('amqp:') && !loopbackHost.test(new URL(broker).hostname))
      .map(broker => `revoker.eventHub.brokers: ${broker} is reached without encryption`),
  ]
}

function isLocal(text: string): boolean {
  const address = parseAddress(text)
  return address.kind === 'unix' || loopbackHost.test(address.host)
}

function isPlainRemote(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  return protocol === 'http:' && !loopbackHost.test(hostname.replace(/^\[|\]$/g, ''))
}
