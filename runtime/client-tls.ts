/**
 * Reads the files of a client's TLS settings.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../revocation/error.ts'
import type { ClientTls } from './config/sections/client-tls.ts'

/** As `node:tls` takes it. */
export interface ClientTlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

/**
 * The options for `node:tls`.
 *
 * @param setting where the settings stand, for the message.
 * @throws RescindError ERR_CONFIG_INVALID if a file cannot be read or only one of certFile and keyFile is set.
 */
export function readClientTls(tls: ClientTls, setting: string): ClientTlsOptions {
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new RescindError('ERR_CONFIG_INVALID', `${setting}: set certFile and keyFile together, or neither`)
  }
  return {
    ...(tls.caFile === undefined ? {} : { ca: read(tls.caFile, `${setting}.caFile`) }),
    ...(tls.certFile === undefined ? {} : { cert: read(tls.certFile, `${setting}.certFile`) }),
    ...(tls.keyFile === undefined ? {} : { key: read(tls.keyFile, `${setting}.keyFile`) }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  }
}

function read(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new RescindError(
      'ERR_CONFIG_INVALID',
      `${setting}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      { cause: error },
    )
  }
}
