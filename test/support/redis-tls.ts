/**
 * A Redis that speaks only TLS and knows only the users that it is given.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../services/command.ts'
import { freePort } from './ports.ts'
import { type RunningRedis, startRedis } from './redis.ts'

/** A running Redis behind TLS. */
export interface TlsRedis extends RunningRedis {
  /** The file of the certificate that clients must trust; it is for 127.0.0.1. */
  readonly caFile: string
}

const adminPassword = 'admin-of-this-test'

/**
 * Starts it.
 *
 * @param users lines of an ACL file: `user name on >password ~keys +commands`.
 */
export async function startTlsRedis(users: readonly string[]): Promise<TlsRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'rescind-redis-tls-'))
  const [caFile, keyFile, aclFile] = [
    join(folder, 'cert.pem'),
    join(folder, 'key.pem'),
    join(folder, 'users.acl'),
  ]
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await makeCertificate(caFile, keyFile)
    const admin = `user admin on >${adminPassword} ~* &* +@all`
    await writeFile(aclFile, `${['user default off', admin, ...users].join('\n')}\n`)
    const port = await freePort()
    const tls = ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no']
    const files = ['--tls-cert-file', caFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile]
    const redis = await startRedis({
      port,
      args: [...tls, ...files, '--aclfile', aclFile],
      cliArgs: ['--tls', '--cacert', caFile, '--user', 'admin', '--pass', adminPassword, '--no-auth-warning'],
    })
    const stop = async () => {
      await redis.stop()
      await remove()
    }
    return { ...redis, url: `rediss://127.0.0.1:${port}`, caFile, stop }
  } catch (error) {
    await remove()
    throw error
  }
}

async function makeCertificate(certFile: string, keyFile: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const subject = ['-subj', '/CN=redis of a test', '-addext', 'subjectAltName=IP:127.0.0.1']
  await runCommand('openssl', ['req', '-x509', ...key, ...subject, '-days', '2', '-out', certFile], {
    timeoutMs: 30_000,
  })
}
