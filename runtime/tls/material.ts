/**
 * What files of certificates and keys hold, judged before anything relies on it. No I/O.
 *
 * @module
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { RescindError } from '../../revocation/error.ts'

/** What a file holds, by the names of `node:tls`. */
export type TlsPart = 'cert' | 'key' | 'ca'

/** A file that was read. */
export interface TlsContent {
  readonly part: TlsPart
  /** Path in the configuration, for errors. */
  readonly setting: string
  /** Path of the file, for errors. */
  readonly path: string
  readonly text: string
}

/** Certificates and key that belong together and can be used. */
export interface TlsMaterial {
  /** As `node:tls` takes it. */
  readonly options: SecureContextOptions
  /** Made of the same options. */
  readonly secureContext: SecureContext
  /** Our own certificate; undefined without one. */
  readonly certificate: OwnCertificate | undefined
}

/** When our own certificate is valid, milliseconds since 1970. */
export interface OwnCertificate {
  readonly validFromMs: number
  readonly expiresAtMs: number
  /** Setting and file that it came from. */
  readonly where: string
}

/** Applies to every connection of ours that these files are for. */
const connectionRules = {
  minVersion: 'TLSv1.2',
  // A session that is resumed would carry the verification of an earlier handshake.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions

/**
 * Judges files by what they hold. Whether certificates are expired is not judged here.
 *
 * @throws RescindError ERR_TLS_FILE if a text is not PEM or is cut off, or a key is not that of its certificate.
 */
export function tlsMaterial(contents: readonly TlsContent[]): TlsMaterial {
  const [cert, key, ca] = (['cert', 'key', 'ca'] as const).map(part =>
    contents.find(content => content.part === part),
  )
  if (ca !== undefined) certificatesIn(ca)
  const [own] = cert === undefined ? [] : certificatesIn(cert)
  if (own !== undefined && key !== undefined) refuseForeignKey(own, key)
  const texts = Object.fromEntries(contents.map(({ part, text }) => [part, text]))
  const options: SecureContextOptions = { ...texts, ...connectionRules }
  const places = contents.map(({ setting }) => setting).join(', ')
  return {
    options,
    secureContext: attempt(() => createSecureContext(options), `${places}: cannot be used together`),
    certificate:
      own === undefined || cert === undefined
        ? undefined
        : {
            validFromMs: Date.parse(own.validFrom),
            expiresAtMs: Date.parse(own.validTo),
            where: place(cert),
          },
  }
}

/** Why our own certificate is refused by everybody at this time, if it is. */
export function invalidNow({ certificate }: TlsMaterial, nowMs: number): RescindError | undefined {
  if (certificate === undefined) return undefined
  const { validFromMs, expiresAtMs, where } = certificate
  if (nowMs > expiresAtMs)
    return tlsFileError(`${where} holds a certificate that expired at ${iso(expiresAtMs)}; renew it`)
  if (nowMs < validFromMs)
    return tlsFileError(`${where} holds a certificate that is not valid before ${iso(validFromMs)}`)
  return undefined
}

/** An error of a file. */
export const tlsFileError = (message: string, cause?: unknown): RescindError =>
  new RescindError('ERR_TLS_FILE', message, cause === undefined ? undefined : { cause })

const begin = '-----BEGIN CERTIFICATE-----'
const encryptedKey = /^(-----BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED)/m
const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** All certificates of a file, at least one. */
function certificatesIn(content: TlsContent): X509Certificate[] {
  const blocks = content.text.match(block) ?? []
  const begun = content.text.split(begin).length - 1
  if (begun === 0) throw tlsFileError(`${place(content)} holds no certificate in PEM (${begin})`)
  if (blocks.length < begun) throw tlsFileError(`${place(content)} is cut off within a certificate`)
  return blocks.map((pem, index) =>
    attempt(() => new X509Certificate(pem), `${place(content)}: certificate ${index + 1} cannot be read`),
  )
}

function refuseForeignKey(own: X509Certificate, content: TlsContent): void {
  if (encryptedKey.test(content.text))
    throw tlsFileError(`${place(content)} is encrypted; give it without a passphrase, readable for us only`)
  const key = attempt(() => createPrivateKey(content.text), `${place(content)} holds no private key in PEM`)
  if (!own.checkPrivateKey(key))
    throw tlsFileError(`${place(content)} is not the key of the first certificate in certFile`)
}

const place = ({ setting, path }: TlsContent): string => `${setting}: ${path}`

const iso = (timeMs: number): string => new Date(timeMs).toISOString()

/** Runs what OpenSSL may refuse; of its error only the code is told, which holds nothing of the file. */
function attempt<Result>(action: () => Result, problem: string): Result {
  try {
    return action()
  } catch (error) {
    throw tlsFileError(`${problem} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, error)
  }
}
