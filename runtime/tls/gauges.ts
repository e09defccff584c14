/**
 * What metrics tell of the TLS files of a part.
 *
 * @module
 */
import type { Registry } from 'prom-client'
import { addGauge } from '../gauge.ts'
import type { TlsFiles } from './files.ts'

/** Adds the gauges `rescind_<part>_tls_...`; that of the certificate only if there is one of our own. */
export function addTlsGauges(
  registry: Registry,
  part: 'revoker' | 'adapter' | 'enforcer',
  files: TlsFiles,
): void {
  addGauge(
    registry,
    `rescind_${part}_tls_files_wrong`,
    '1 while the TLS files cannot be used as they are, or hold a certificate that is not valid now; else 0.',
    () => (files.problem === undefined ? 0 : 1),
  )
  if (files.material.certificate === undefined) return
  addGauge(
    registry,
    `rescind_${part}_tls_certificate_expires_seconds`,
    'When the certificate in use expires, seconds since 1970.',
    () => (files.material.certificate?.expiresAtMs ?? Number.NaN) / 1000,
  )
}
