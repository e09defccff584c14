/**
 * The configuration as the revoker takes it.
 *
 * @module
 */
import { formatAddress, parseAddress } from '../runtime/config/address.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { openTlsFiles, type TlsFiles } from '../runtime/tls/files.ts'
import { tlsFilesOf } from './discovery-tls.ts'
import { relayOf } from './relay.ts'
import { timesOf } from './settings.ts'

/** Settings of the revoker that need nothing to be opened. */
export const revokerOf = (config: Config) => {
  const { revoker, issuers } = config
  return {
    address: revoker.address,
    publicUrl: publicUrlOf(revoker),
    trustedProxies: revoker.trustedProxies,
    corsOrigins: revoker.corsOrigins,
    responseHeaders: revoker.responseHeaders,
    tenantDomain: revoker.tenantDomain,
    limits: revoker.limits,
    relay: relayOf(config),
    issuers: issuers.map(issuer => issuer.issuer),
    revocationsLimit: revoker.maxRevocations,
    ...timesOf(config),
  }
}

/** Where to listen for HTTPS, and with which files; undefined if it is off. */
export interface HttpsSettings {
  readonly address: string
  readonly files: TlsFiles
}

/**
 * The files of `revoker.tls`.
 *
 * @throws RescindError ERR_TLS_FILE if they cannot be used.
 */
export async function openHttps({ revoker }: Config, logger: Logger): Promise<HttpsSettings | undefined> {
  const { address, ...tls } = revoker.tls
  if (tls.certFile === undefined) return undefined
  const files = tlsFilesOf('revoker.tls', { certFile: 'cert', keyFile: 'key', clientCaFile: 'ca' }, tls)
  return { address, files: await openTlsFiles({ files, logger }) }
}

function publicUrlOf({ publicUrl, address, tls }: Config['revoker']): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin
  if (tls.certFile !== undefined) return `https://${tls.address}`
  const place = parseAddress(address)
  return `http://${place.kind === 'unix' ? 'localhost' : formatAddress(place)}`
}
