/**
 * Delta streams to adapters over gRPC.
 *
 * @module
 */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
} from '../../proto/wire.ts'

/** A delta stream, as far as it is used. */
export type ClientStream = Pick<
  ClientDuplexStream<DeltaRequest, DeltaResponseMessage>,
  'write' | 'end' | 'cancel' | 'on'
>

/** Opens streams to adapters. */
export interface DiscoveryTransport {
  open(adapter: string): ClientStream
  close(): void
}

const responseBytesLimit = 16 * 2 ** 20

/** Connects to adapters when streams are opened. */
export function createGrpcStreams(
  adapters: readonly string[],
  backoff: { readonly firstMs: number; readonly limitMs: number },
): DiscoveryTransport {
  const clients = new Map(
    adapters.map(address => [
      address,
      new Client(address, credentials.createInsecure(), {
        'grpc.max_receive_message_length': responseBytesLimit,
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5_000,
        'grpc.initial_reconnect_backoff_ms': backoff.firstMs,
        'grpc.max_reconnect_backoff_ms': backoff.limitMs,
      }),
    ]),
  )
  return {
    open: address =>
      (clients.get(address) as Client).makeBidiStreamRequest(
        deltaTokensPath,
        deltaRequestCodec.encode,
        deltaResponseCodec.decode,
      ),
    close: () => {
      for (const client of clients.values()) client.close()
    },
  }
}
