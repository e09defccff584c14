/**
 * The listener that lets gRPC be reached over TLS: what it takes of a connection before gRPC gets it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { Server } from '@grpc/grpc-js'
import { openTlsFiles } from '../../runtime/tls/files.ts'
import { listenGrpcTls } from '../../runtime/tls/grpc-listener.ts'
import { type CertificateFiles, createAuthority, createTestFolder } from '../support/certificates.ts'
import { until } from '../support/condition.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

describe('a gRPC server that is reached over TLS', () => {
  const folder = createTestFolder()
  let own: CertificateFiles
  let caFile: string
  before(async () => {
    const authority = await createAuthority(folder.path, 'authority')
    own = await authority.issue('both', { names: 'DNS:adapter.test' })
    caFile = authority.caFile
  })
  after(() => folder.remove())

  const start = async (t: TestContext, limits: { connections?: number; handshakes?: number } = {}) => {
    const { logger, lines } = createKeptLogger()
    const { connections: connectionsLimit = 100, handshakes: handshakesLimit = 100 } = limits
    const files = await openTlsFiles({
      files: [
        { part: 'cert', setting: 'certFile', path: own.certFile },
        { part: 'key', setting: 'keyFile', path: own.keyFile },
        { part: 'ca', setting: 'clientCaFile', path: caFile },
      ],
      logger,
    })
    const server = new Server()
    const address = '127.0.0.1:0'
    const listener = await listenGrpcTls({
      ...{ server, address, setting: 'adapter.address', files, logger },
      ...{ connectionsLimit, handshakesLimit },
    })
    const sockets: TLSSocket[] = []
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      files.close()
      server.forceShutdown()
      listener.close()
    })
    /** A connection after its handshake, from a client whose certificate is accepted. */
    const open = async (changes: ConnectionOptions = {}): Promise<TLSSocket> => {
      const [cert, key, ca] = [readFileSync(own.certFile), readFileSync(own.keyFile), readFileSync(caFile)]
      const socket = connect({
        ...{ port: listener.port, host: '127.0.0.1', servername: 'adapter.test', cert, key, ca },
        ALPNProtocols: ['h2'],
        ...changes,
      })
      sockets.push(socket)
      await once(socket, 'secureConnect')
      return socket
    }
    /** Whether gRPC gets a connection; it speaks first. */
    const isLetIn = async () => {
      const socket = await open()
      return new Promise<boolean>(done => {
        socket.once('data', () => done(true)).once('close', () => done(false))
        socket.on('error', () => undefined)
      })
    }
    return { port: listener.port, lines, open, isLetIn }
  }

  test('speaks TLS 1.2 and 1.3, nothing older', async t => {
    const { open, lines } = await start(t)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await open({ minVersion: version, maxVersion: version })
      assert.equal(socket.getProtocol(), version)
    }
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await assert.rejects(open(old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
    await until('it is logged', () =>
      lines.some(({ fields }) => fields.reason === 'ERR_SSL_UNSUPPORTED_PROTOCOL'),
    )
  })

  test('speaks HTTP/2 only, and is not troubled by what is no TLS', async t => {
    const { port, open } = await start(t)
    const other = await open({ ALPNProtocols: ['http/1.1'] }).then(
      socket => socket.alpnProtocol,
      (error: NodeJS.ErrnoException) => error.code,
    )
    assert.notEqual(other, 'http/1.1')
    const plain = connectPlain(port, '127.0.0.1')
    plain.on('error', () => undefined)
    plain.end('GET / HTTP/1.1\r\n\r\n')
    await once(plain.resume(), 'close')
    assert.equal((await open()).alpnProtocol, 'h2')
  })

  test('verifies every connection anew: no session is resumed', async t => {
    const { open } = await start(t)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await open({ minVersion: version, maxVersion: version })
      // The server's first frame comes after any session ticket.
      await once(socket, 'data')
      const session = socket.getSession()
      assert.ok(session !== undefined)
      const again = await open({ minVersion: version, maxVersion: version, session })
      assert.equal(again.isSessionReused(), false)
    }
  })

  test('closes connections beyond its limit', async t => {
    const { open, isLetIn, lines } = await start(t, { connections: 1 })
    const first = await open()
    await once(first, 'data')
    assert.equal(await isLetIn(), false)
    assert.match(String(lines.at(-1)?.fields.reason), /^too many connections/)
    first.destroy()
    await until('there is room again', isLetIn)
  })

  test('connections that do not finish their handshake take nobody else’s place', async t => {
    const { port, isLetIn, lines } = await start(t, { connections: 1, handshakes: 2 })
    const idle = [connectPlain(port, '127.0.0.1'), connectPlain(port, '127.0.0.1')]
    t.after(() => idle.map(socket => socket.destroy()))
    await Promise.all(idle.map(socket => once(socket, 'connect')))
    const closed = once(idle[0] as Socket, 'close')
    assert.equal(await isLetIn(), true)
    await closed
    assert.match(String(lines.at(-1)?.fields.reason), /^too many connections are in their handshake/)
    assert.equal(idle[1]?.destroyed, false)
  })
})
