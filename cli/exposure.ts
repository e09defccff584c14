/**
 * Warns of what leaves the machine without encryption.
 *
 * @module
 */
import { parseAddress } from '../runtime/config/address.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Role } from './roles.ts'

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|::1)$/

/** One line for each setting of a part that is open to other machines, or fetched from them, in the clear. */
export function exposureWarnings(role: Role, config: Config): string[] {
  const listening: [setting: string, address: string, roles: readonly Role[]][] = [
    ['revoker.address', config.revoker.address, ['all', 'revoker']],
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
    ...config.issuers
      .map(({ jwksUri, issuer }) => jwksUri ?? issuer)
      .filter(isPlainRemote)
      .map(
        uri =>
          `issuers: keys are fetched from ${uri} without encryption; whoever can change them can forge tokens`,
      ),
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
