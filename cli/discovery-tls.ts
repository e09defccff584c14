/**
 * TLS between adapters and enforcers, as it is configured.
 *
 * @module
 */
import type { DiscoveryTls } from '../enforcer/discovery/grpc-streams.ts'
import { RescindError } from '../revocation/error.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { openTlsFiles, type TlsFile, type TlsFiles } from '../runtime/tls/files.ts'

/**
 * The files of `adapter.tls`; undefined if it is off.
 *
 * @throws RescindError ERR_TLS_FILE if they cannot be used.
 */
export async function openAdapterTls(
  { adapter: { tls } }: Config,
  logger: Logger,
): Promise<TlsFiles | undefined> {
  if (tls.certFile === undefined) return undefined
  const files = tlsFilesOf('adapter.tls', { certFile: 'cert', keyFile: 'key', clientCaFile: 'ca' }, tls)
  return openTlsFiles({ files, logger })
}

/**
 * The files and settings of `enforcer.discovery.tls`; undefined if it is off.
 *
 * @throws RescindError ERR_TLS_FILE if they cannot be used.
 */
export async function openDiscoveryTls(
  { enforcer }: Config,
  logger: Logger,
): Promise<DiscoveryTls | undefined> {
  const { enabled, serverName, ...tls } = enforcer.discovery.tls
  if (!enabled) return undefined
  const files = tlsFilesOf('enforcer.discovery.tls', { certFile: 'cert', keyFile: 'key', caFile: 'ca' }, tls)
  return { files: await openTlsFiles({ files, logger }), serverName }
}

/**
 * In one process the enforcer is one like any other to its adapter.
 *
 * @throws RescindError ERR_CONFIG_INVALID if the two could never meet.
 */
export function checkOwnDiscovery({ adapter, enforcer }: Config): void {
  const { enabled, certFile } = enforcer.discovery.tls
  const mustHave = adapter.tls.certFile !== undefined
  if (enabled !== mustHave) {
    const message = mustHave
      ? 'must be true: adapter.tls is set, and with rescind all the enforcer connects to that adapter; set caFile and serverName too'
      : 'must be false: adapter.tls is not set, and with rescind all the enforcer connects to that adapter'
    throw new RescindError('ERR_CONFIG_INVALID', `enforcer.discovery.tls.enabled: ${message}`)
  }
  if (adapter.tls.clientCaFile === undefined || certFile !== undefined) return
  throw new RescindError(
    'ERR_CONFIG_INVALID',
    'enforcer.discovery.tls.certFile: is missing: adapter.tls.clientCaFile asks every enforcer for a certificate, that of rescind all too; set keyFile with it',
  )
}

/** The files that are set, of those that `parts` names. */
export function tlsFilesOf<Setting extends string>(
  section: string,
  parts: Readonly<Record<Setting, TlsFile['part']>>,
  paths: Partial<Readonly<Record<Setting, string>>>,
): TlsFile[] {
  return (Object.keys(parts) as Setting[]).flatMap(setting => {
    const path = paths[setting]
    return path === undefined ? [] : [{ part: parts[setting], setting: `${section}.${setting}`, path }]
  })
}
