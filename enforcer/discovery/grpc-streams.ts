/**
 * Streams to adapters over gRPC.
 *
 * @module
 */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import { printable } from '../../runtime/printable.ts'
import type { TlsFiles } from '../../runtime/tls/files.ts'
import { discoveryBackoff } from './client.ts'
import type { DiscoveryTransport } from './client-stream.ts'
import type { FeedProtocol } from './feed.ts'

/** TLS towards adapters. */
export interface DiscoveryTls {
  /** Authorities that are trusted (none: those of Node), and our own certificate and key if we have them. */
  readonly files: TlsFiles
  /** The name that an adapter's certificate must have; default: the host connected to. */
  readonly serverName?: string | undefined
}

const connectMs = 20_000

/** Opens streams of a protocol, each with the certificates that the files hold then. */
export function createGrpcStreams<Request, Response>(
  protocol: FeedProtocol<Request, Response>,
  tls: DiscoveryTls | undefined,
): DiscoveryTransport<Request, Response> {
  return {
    open: (address, onConnected) => {
      const channel = openChannel(address, protocol, tls)
      const stream: ClientDuplexStream<Request, Response> = channel.makeBidiStreamRequest(
        protocol.path,
        protocol.encode,
        protocol.decode,
      )
      const stop = watchConnection(channel, onConnected)
      stream.on('status', () => {
        stop()
        channel.close()
      })
      return stream
    },
    reasonOf: ({ message }) => failureReason(message, tls),
  }
}

function openChannel<Request, Response>(
  address: string,
  protocol: FeedProtocol<Request, Response>,
  tls: DiscoveryTls | undefined,
): Client {
  const { serverName } = tls ?? {}
  return new Client(address, credentialsOf(tls), {
    'grpc.max_receive_message_length': protocol.responseBytesLimit,
    // The default of 64 KiB would make a full state wait for many round trips.
    'grpc-node.flow_control_window': 2 ** 20,
    'grpc.keepalive_time_ms': protocol.keepaliveMs,
    'grpc.keepalive_timeout_ms': protocol.keepaliveTimeoutMs,
    'grpc.initial_reconnect_backoff_ms': discoveryBackoff.firstMs,
    'grpc.max_reconnect_backoff_ms': discoveryBackoff.limitMs,
    // Otherwise the connection of the stream before is used again: the same adapter, however many are behind the name.
    'grpc.use_local_subchannel_pool': 1,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
  })
}

const credentialsOf = (tls: DiscoveryTls | undefined) =>
  tls === undefined
    ? credentials.createInsecure()
    : credentials.createFromSecureContext(tls.files.material.secureContext)

/** A server may have nothing to say: only the connection itself tells that it is up. */
function watchConnection(channel: Client, onConnected: () => void): () => void {
  let stopped = false
  const wait = () =>
    channel.waitForReady(Date.now() + connectMs, error => {
      if (stopped) return
      if (error === undefined) onConnected()
      else wait()
    })
  wait()
  return () => {
    stopped = true
  }
}

const reasonLimit = 500

/** What gRPC says when the other side closes a connection before it has said anything. */
const closedEarly = /Failed to connect|socket hang up|ECONNRESET/

/** Why a stream failed, in one line, with what may be behind it where gRPC does not know. */
function failureReason(message: string, tls: DiscoveryTls | undefined): string {
  const line = printable(message.replaceAll(/\s+/g, ' ')).slice(0, reasonLimit)
  return closedEarly.test(line) ? `${line}; ${advice(tls)}` : line
}

function advice(tls: DiscoveryTls | undefined): string {
  if (tls === undefined)
    return 'the adapter has closed the connection: if it speaks TLS, set enforcer.discovery.tls.enabled'
  if (tls.files.material.certificate === undefined)
    return 'the adapter has closed the connection: if it asks for a client certificate, set enforcer.discovery.tls.certFile and keyFile'
  return 'the adapter has closed the connection: it may not accept our certificate; its log says why'
}
