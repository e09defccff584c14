/**
 * Certificate authorities for tests, by the openssl command, and files as people and Kubernetes replace them.
 *
 * @module
 */
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../services/command.ts'

/** A certificate and its key, in files. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** What a certificate says. */
export interface CertificateOptions {
  /** `DNS:a,URI:spiffe://b`; none if not given. */
  readonly names?: string
  /** Default 2; before now if negative. */
  readonly validDays?: number
  /** As openssl names it; any if not given. */
  readonly usage?: 'serverAuth' | 'clientAuth'
}

/** An authority. */
export interface TestAuthority {
  /** Its own certificate. */
  readonly caFile: string
  /** Signs a certificate; the common name is that of the files. */
  issue(commonName: string, options?: CertificateOptions): Promise<CertificateFiles>
}

/** A folder that is removed with everything in it. */
export interface TestFolder {
  readonly path: string
  remove(): void
}

/** Makes a folder for a test. */
export const createTestFolder = (): TestFolder => {
  const path = mkdtempSync(join(tmpdir(), 'rescind-tls-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Makes an authority of its own in a folder below `parent`. */
export const createAuthority = async (parent: string, name: string): Promise<TestAuthority> => {
  const folder = join(parent, name)
  await mkdir(folder, { recursive: true })
  const [caFile, caKeyFile] = [join(folder, 'ca.pem'), join(folder, 'ca.key')]
  await openssl('req', '-x509', ...newKey(caKeyFile), '-subj', `/CN=${name}`, '-days', '3', '-out', caFile)
  let serial = 1
  return {
    caFile,
    issue: async (commonName, options = {}) => {
      const base = join(folder, `${commonName}-${serial}`)
      const [certFile, keyFile, requestFile] = [`${base}.pem`, `${base}.key`, `${base}.csr`]
      const extensions = [
        ...(options.names === undefined ? [] : [`subjectAltName=${options.names}`]),
        ...(options.usage === undefined ? [] : [`extendedKeyUsage=${options.usage}`]),
        'basicConstraints=CA:FALSE',
      ]
      writeFileSync(`${base}.ext`, `${extensions.join('\n')}\n`)
      await openssl('req', '-new', ...newKey(keyFile), '-subj', `/CN=${commonName}`, '-out', requestFile)
      const signer = ['-CA', caFile, '-CAkey', caKeyFile, '-set_serial', String(serial++)]
      const rest = ['-days', String(options.validDays ?? 2), '-extfile', `${base}.ext`, '-out', certFile]
      await openssl('x509', '-req', '-in', requestFile, ...signer, ...rest)
      return { certFile, keyFile }
    },
  }
}

const newKey = (keyFile: string): string[] => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout'],
  keyFile,
]

const openssl = (...args: string[]): Promise<string> => runCommand('openssl', args, { timeoutMs: 30_000 })

/** The files of a mounted Secret: their names and where their content comes from. */
export type SecretFiles = Readonly<Record<string, string>>

/**
 * A folder that looks as Kubernetes mounts a Secret: `name` is a link to `..data/name`, and `..data` a link to the
 * folder of the newest version, which is exchanged by renaming.
 */
export interface MountedSecret {
  /** Path of a file. */
  file(name: string): string
  /** Swaps all files at once. */
  swap(files: SecretFiles): void
}

/** Mounts a Secret at a folder that is there and empty. */
export const mountSecret = (folder: string, files: SecretFiles): MountedSecret => {
  let version = 0
  const swap = (changed: SecretFiles) => {
    const name = `..version-${version++}`
    for (const [file, source] of Object.entries(changed)) cpSync(source, join(folder, name, file))
    symlinkSync(name, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    if (version > 1) rmSync(join(folder, `..version-${version - 2}`), { recursive: true })
  }
  swap(files)
  for (const file of Object.keys(files)) symlinkSync(join('..data', file), join(folder, file))
  return { file: name => join(folder, name), swap }
}
