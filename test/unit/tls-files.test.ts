/** Files of certificates: what is refused, and what happens when they change while they are used. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Registry } from 'prom-client'
import { RescindError } from '../../revocation/error.ts'
import { openTlsFiles, type TlsFile, type TlsFiles } from '../../runtime/tls/files.ts'
import { addTlsGauges } from '../../runtime/tls/gauges.ts'
import {
  type CertificateFiles,
  createAuthority,
  createTestFolder,
  mountSecret,
  type TestAuthority,
} from '../support/certificates.ts'
import { until } from '../support/condition.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

const folder = createTestFolder()
let authority: TestAuthority
let first: CertificateFiles
let second: CertificateFiles
before(async () => {
  authority = await createAuthority(folder.path, 'authority')
  first = await authority.issue('first')
  second = await authority.issue('second')
})
after(() => folder.remove())

let places = 0
/** A new folder with copies of these files. */
const place = ({ certFile, keyFile }: CertificateFiles): CertificateFiles => {
  const at = join(folder.path, `place-${places++}`)
  mkdirSync(at)
  const copy = { certFile: join(at, 'tls.crt'), keyFile: join(at, 'tls.key') }
  cpSync(certFile, copy.certFile)
  cpSync(keyFile, copy.keyFile)
  return copy
}

const filesOf = ({ certFile, keyFile }: CertificateFiles, caFile = authority.caFile): TlsFile[] => [
  { part: 'cert', setting: 'adapter.tls.certFile', path: certFile },
  { part: 'key', setting: 'adapter.tls.keyFile', path: keyFile },
  { part: 'ca', setting: 'adapter.tls.clientCaFile', path: caFile },
]

const refusal = async (files: readonly TlsFile[]): Promise<string> => {
  const error = await openTlsFiles({ files, logger: createKeptLogger().logger }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof RescindError, String(error))
  assert.equal(error.code, 'ERR_TLS_FILE')
  assert.doesNotMatch(error.message, /\n/)
  return error.message
}

const commonName = ({ material }: TlsFiles): string =>
  new X509Certificate(String(material.options.cert)).subject.replace('CN=', '')

test('files that cannot be used are refused, by setting and file', async () => {
  const text = join(folder.path, 'text')
  writeFileSync(text, 'no certificate')
  const { certFile, keyFile } = first
  assert.match(
    await refusal(filesOf({ certFile: '/none', keyFile })),
    /^adapter\.tls\.certFile: \/none cannot be read \(ENOENT\)$/,
  )
  assert.match(
    await refusal(filesOf({ certFile: folder.path, keyFile })),
    /^adapter\.tls\.certFile: \S+ cannot be read \(EISDIR\)$/,
  )
  assert.match(
    await refusal(filesOf({ certFile: '/dev/zero', keyFile })),
    /^adapter\.tls\.certFile: \/dev\/zero is larger than 1024 KiB$/,
  )
  assert.match(
    await refusal(filesOf({ certFile: text, keyFile })),
    /^adapter\.tls\.certFile: \S+ holds no certificate in PEM/,
  )
  assert.match(
    await refusal(filesOf({ certFile, keyFile: text })),
    /^adapter\.tls\.keyFile: \S+ holds no private key in PEM/,
  )
  assert.match(
    await refusal(filesOf({ certFile, keyFile: second.keyFile })),
    /^adapter\.tls\.keyFile: \S+ is not the key of the first certificate/,
  )
  assert.match(await refusal(filesOf(first, text)), /^adapter\.tls\.clientCaFile: \S+ holds no certificate/)
})

test('half a certificate, damage and an encrypted key are refused', async () => {
  const whole = readFileSync(first.certFile, 'latin1')
  const half = place(first)
  writeFileSync(half.certFile, whole + whole.slice(0, whole.length / 2))
  assert.match(await refusal(filesOf(half)), /certFile: \S+ is cut off within a certificate$/)
  const damaged = place(first)
  writeFileSync(damaged.certFile, whole.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'))
  assert.match(await refusal(filesOf(damaged)), /certFile: \S+: certificate 1 cannot be read/)
  const encrypted = place(first)
  writeFileSync(
    encrypted.keyFile,
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n',
  )
  assert.match(await refusal(filesOf(encrypted)), /keyFile: \S+ is encrypted/)
})

/** Opens files and looks at them all the time. */
const watch = async (files: readonly TlsFile[]) => {
  const { logger, lines } = createKeptLogger()
  const opened = await openTlsFiles({ files, logger, pollMs: 5 })
  const wrong = async () => {
    const registry = new Registry()
    addTlsGauges(registry, 'adapter', opened)
    return /^rescind_adapter_tls_files_wrong (\d)$/m.exec(await registry.metrics())?.[1]
  }
  const errors = () => lines.filter(({ level }) => level === 'error')
  return { opened, errors, wrong }
}

test('files that are replaced in place, by renaming or by a swapped link are taken, all together', async t => {
  const inPlace = place(first)
  const renamed = place(first)
  const secretFolder = join(folder.path, `place-${places++}`)
  mkdirSync(secretFolder)
  const secret = mountSecret(secretFolder, { 'tls.crt': first.certFile, 'tls.key': first.keyFile })
  const swapped = { certFile: secret.file('tls.crt'), keyFile: secret.file('tls.key') }
  const ways: readonly { files: CertificateFiles; replace: () => void }[] = [
    {
      files: inPlace,
      replace: () => {
        cpSync(second.certFile, inPlace.certFile)
        cpSync(second.keyFile, inPlace.keyFile)
      },
    },
    {
      files: renamed,
      replace: () => {
        for (const name of ['certFile', 'keyFile'] as const) {
          cpSync(second[name], `${renamed[name]}.new`)
          renameSync(`${renamed[name]}.new`, renamed[name])
        }
      },
    },
    {
      files: swapped,
      replace: () => secret.swap({ 'tls.crt': second.certFile, 'tls.key': second.keyFile }),
    },
  ]
  for (const { files, replace } of ways) {
    const { opened } = await watch(filesOf(files))
    t.after(() => opened.close())
    const told: unknown[] = []
    opened.onChanged(material => told.push(material))
    assert.equal(commonName(opened), 'first')
    replace()
    await until('the new files are used', () => commonName(opened) === 'second')
    assert.deepEqual(told, [opened.material])
  }
})

test('authorities that are added are taken', async t => {
  const other = await createAuthority(folder.path, 'other')
  const caFile = join(folder.path, 'authorities.pem')
  cpSync(authority.caFile, caFile)
  const { opened } = await watch(filesOf(first, caFile))
  t.after(() => opened.close())
  appendFileSync(caFile, readFileSync(other.caFile))
  await until('both are trusted', () => String(opened.material.options.ca).split('BEGIN').length === 3)
})

test('files that are broken while they are used leave the old ones in use, and are told once', async t => {
  const files = place(first)
  const { opened, errors, wrong } = await watch(filesOf(files))
  t.after(() => opened.close())
  assert.equal(await wrong(), '0')

  cpSync(second.certFile, files.certFile)
  await until('the wrong key is noticed', () => opened.problem)
  assert.match(opened.problem?.message ?? '', /keyFile: \S+ is not the key/)
  assert.equal(commonName(opened), 'first')
  assert.equal(await wrong(), '1')
  writeFileSync(files.certFile, '')
  await until('that there is none is noticed', () =>
    /holds no certificate/.test(opened.problem?.message ?? ''),
  )
  assert.equal(commonName(opened), 'first')
  assert.deepEqual(
    errors().map(({ fields }) => (fields.err as RescindError).code),
    ['ERR_TLS_FILE', 'ERR_TLS_FILE'],
  )

  cpSync(second.certFile, files.certFile)
  cpSync(second.keyFile, files.keyFile)
  await until('they are whole again', () => commonName(opened) === 'second' && opened.problem === undefined)
  assert.equal(await wrong(), '0')
})

test('an expired certificate is used, but it is told', async t => {
  const expired = await authority.issue('expired', { validDays: -1 })
  const { opened, errors, wrong } = await watch(filesOf(expired))
  t.after(() => opened.close())
  assert.match(
    opened.problem?.message ?? '',
    /certFile: \S+ holds a certificate that expired at \S+Z; renew it/,
  )
  assert.equal(errors().length, 1)
  assert.equal(await wrong(), '1')
})
