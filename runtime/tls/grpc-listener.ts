/**
 * Lets a gRPC server be reached over TLS only. The handshake is ours (`node:tls`), so that files which change take
 * effect, and whoever is refused is told of in the log; gRPC gets the connections that were accepted.
 *
 * @module
 */
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { formatAddress, parseAddress } from '../config/address.ts'
import { quietGrpc } from '../grpc-server.ts'
import { listenAt } from '../listen.ts'
import type { Logger } from '../logger.ts'
import { notTooOften } from '../not-too-often.ts'
import type { TlsFiles } from './files.ts'
import { peerIdentity } from './peer-identity.ts'

/** Where and how to listen. */
export interface GrpcTlsOptions {
  readonly server: GrpcServer
  /** `host:port`. */
  readonly address: string
  /** Path of the address in the configuration, for errors. */
  readonly setting: string
  /** Certificate and key; with authorities (`ca`) only clients that they have signed are accepted. */
  readonly files: TlsFiles
  /** Connections beyond this are closed after their handshake. */
  readonly connectionsLimit: number
  /** Connections in their handshake; for those beyond this the oldest are closed. Default 1,000. */
  readonly handshakesLimit?: number
  readonly logger: Logger
}

/** A listener. */
export interface GrpcTlsListener {
  readonly port: number
  /** Stops listening and ends every connection. */
  close(): void
}

const handshakeTimeoutMs = 10_000
const defaultHandshakesLimit = 1_000
const sameLineMs = 1_000

/**
 * Starts to listen.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen there.
 */
export async function listenGrpcTls(options: GrpcTlsOptions): Promise<GrpcTlsListener> {
  const { server, files, logger, handshakesLimit = defaultHandshakesLimit } = options
  quietGrpc()
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const sockets = new Set<Socket>()
  /** By address and port; the oldest first. Whoever has proved nothing yet takes no place of those who have. */
  const handshaking = new Map<string, Socket>()
  const report = notTooOften(sameLineMs, (notLogged, refusal: Refusal) =>
    logger.warn({ ...refusal, notLogged }, 'a client was refused: TLS'),
  )
  const listener = createServer({
    ...files.material.options,
    ALPNProtocols: ['h2'],
    requestCert: files.material.options.ca !== undefined,
    // Refused below, by `refusalOf`: once Node has closed a connection nobody can tell whose it was.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
  })
  listener.on('connection', socket => {
    const [oldest] = handshaking
    if (oldest !== undefined && handshaking.size >= handshakesLimit) {
      report({
        peer: oldest[0],
        reason: 'too many connections are in their handshake, and it was the oldest',
      })
      handshaking.delete(oldest[0])
      oldest[1].destroy()
    }
    const peer = peerOf(socket)
    sockets.add(socket)
    handshaking.set(peer, socket)
    socket.once('close', () => {
      sockets.delete(socket)
      handshaking.delete(peer)
    })
  })
  listener.on('secureConnection', socket => {
    socket.on('error', () => undefined)
    handshaking.delete(peerOf(socket))
    const isRoom = sockets.size - handshaking.size <= options.connectionsLimit
    const refusal = refusalOf(socket, files) ?? (isRoom ? undefined : tooMany(socket))
    if (refusal === undefined) {
      injector.injectConnection(socket)
    } else {
      report(refusal)
      socket.destroy()
    }
  })
  listener.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
    // A port that is only probed.
    if (code !== 'ECONNRESET') report({ peer: peerOf(socket), reason: code ?? 'unknown' })
  })
  listener.on('error', err => logger.error({ err }, 'connections cannot be accepted'))
  files.onChanged(({ options: changed }) => listener.setSecureContext(changed))
  return {
    port: await listen(listener, options),
    close: () => {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A client that was not let in. */
interface Refusal {
  readonly peer: string
  /** The name in its certificate, which nobody has vouched for. */
  readonly certificateOf?: string | undefined
  readonly reason: string
}

/** Why a client is not let in; undefined if it is. */
function refusalOf(socket: TLSSocket, { material }: TlsFiles): Refusal | undefined {
  if (material.options.ca === undefined) return undefined
  const certificate = socket.getPeerCertificate()
  if (socket.authorized && certificate.raw !== undefined && !socket.isSessionReused()) return undefined
  if (certificate.raw === undefined) return { peer: peerOf(socket), reason: 'no client certificate' }
  const reason = `its certificate is not accepted: ${String(socket.authorizationError)}`
  return { peer: peerOf(socket), certificateOf: peerIdentity(certificate), reason }
}

const tooMany = (socket: TLSSocket): Refusal => ({
  peer: peerOf(socket),
  certificateOf: peerIdentity(socket.getPeerCertificate()),
  reason: 'too many connections (adapter.maxStreams)',
})

const peerOf = ({ remoteAddress = 'unknown', remotePort = 0 }: Socket): string =>
  formatAddress({ kind: 'tcp', host: remoteAddress, port: remotePort })

function listen(listener: TlsServer, { address, setting }: GrpcTlsOptions): Promise<number> {
  const place = parseAddress(address)
  return listenAt(
    setting,
    address,
    () =>
      new Promise((done, fail) => {
        listener.once('error', fail)
        listener.listen(place, () => {
          listener.off('error', fail)
          const { port } = listener.address() as AddressInfo
          done(port)
        })
      }),
  )
}
