/**
 * The connection to an adapter.
 *
 * @module
 */
import { Client, credentials } from '@grpc/grpc-js'
import { printable } from '../../runtime/printable.ts'
import type { TlsFiles } from '../../runtime/tls/files.ts'

/** TLS towards adapters. */
export interface DiscoveryTls {
  /** Authorities that are trusted (none: those of Node), and our own certificate and key if we have them. */
  readonly files: TlsFiles
  /** The name that an adapter's certificate must have; default: the host connected to. */
  readonly serverName?: string | undefined
}

/** Times between attempts of gRPC itself; ours lie between streams. */
export interface ChannelTimes {
  readonly backoffFirstMs: number
  readonly backoffLimitMs: number
}

const responseBytesLimit = 16 * 2 ** 20

/**
 * Makes a connection of its own, with the certificates that the files hold now.
 *
 * @param address `host:port`.
 */
export function openChannel(address: string, tls: DiscoveryTls | undefined, times: ChannelTimes): Client {
  const { serverName } = tls ?? {}
  return new Client(address, credentialsOf(tls), {
    'grpc.max_receive_message_length': responseBytesLimit,
    // The default of 64 KiB would make a full state wait for many round trips.
    'grpc-node.flow_control_window': 2 ** 20,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.initial_reconnect_backoff_ms': times.backoffFirstMs,
    'grpc.max_reconnect_backoff_ms': times.backoffLimitMs,
    // Otherwise the connection of the stream before is used again: the same adapter, however many are behind the name.
    'grpc.use_local_subchannel_pool': 1,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
  })
}

const credentialsOf = (tls: DiscoveryTls | undefined) =>
  tls === undefined
    ? credentials.createInsecure()
    : credentials.createFromSecureContext(tls.files.material.secureContext)

const reasonLimit = 500

/** What gRPC says when the other side closes a connection before it has said anything. */
const closedEarly = /Failed to connect|socket hang up|ECONNRESET/

/** Why a stream failed, in one line, with what may be behind it where gRPC does not know. */
export function failureReason(message: string, tls: DiscoveryTls | undefined): string {
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
