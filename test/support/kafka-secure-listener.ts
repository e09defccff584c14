/**
 * A Kafka listener that speaks only TLS and wants a user and a password.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../services/command.ts'
import type { KafkaListener } from './kafka.ts'
import { freePort } from './ports.ts'

/** The listener and what clients need for it. */
export interface SecureListener {
  readonly listener: KafkaListener
  /** The certificate that clients must trust, PEM; it is for 127.0.0.1. */
  readonly ca: string
  /** Removes its files. */
  remove(): Promise<void>
}

const name = 'secure'

/** Makes a certificate and the settings; the user logs in by SASL/PLAIN. */
export async function makeSecureListener(user: string, password: string): Promise<SecureListener> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-kafka-tls-'))
  const [certFile, keyFile, storeFile] = [
    join(folder, 'cert.pem'),
    join(folder, 'key.pem'),
    join(folder, 'store.pem'),
  ]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const subject = ['-subj', '/CN=kafka of a test', '-addext', 'subjectAltName=IP:127.0.0.1']
  await runCommand('openssl', ['req', '-x509', ...key, ...subject, '-days', '2', '-out', certFile], {
    timeoutMs: 30_000,
  })
  const ca = await readFile(certFile, 'utf8')
  await writeFile(storeFile, `${await readFile(keyFile, 'utf8')}${ca}`)
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`
  const settings = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': storeFile,
    'sasl.enabled.mechanisms': 'PLAIN',
    'plain.sasl.jaas.config': login,
  }
  return {
    ca,
    listener: {
      name: name.toUpperCase(),
      protocol: 'SASL_SSL',
      port: await freePort(),
      properties: Object.entries(settings).map(([key, value]) => `listener.name.${name}.${key}=${value}`),
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
