/**
 * The discovery service over gRPC: a thin shell around the stream sessions.
 *
 * @module
 */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import {
  deltaRequestCodec,
  deltaTokensPath,
  fetchTokensPath,
  type SotwRequestMessage,
  sotwRequestCodec,
  streamTokensPath,
} from '../proto/wire.ts'
import { bindGrpcServer, liveCallsOnly, shutDownGrpcServer } from '../runtime/grpc-server.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { listenGrpcTls } from '../runtime/tls/grpc-listener.ts'
import { createDiscovery, type DiscoveryOptions } from './discovery.ts'

/** What a discovery server needs. */
export interface DiscoveryServerOptions extends DiscoveryOptions {
  readonly address: string
  /** Certificate and key, with authorities for mTLS; undefined: not encrypted. */
  readonly tls?: TlsFiles | undefined
}

/** A running discovery server. */
export interface DiscoveryServer {
  readonly port: number
  close(): Promise<void>
}

const requestBytesLimit = 64 * 1024
/** So many beyond the streams are let in, to be told why they are refused. */
const connectionsToRefuse = 1_000
/** An enforcer needs one or two. */
const streamsOfConnection = 100
/** Nothing else notices that a peer is gone when there is nothing to tell it. */
const keepaliveMs = 30_000
const keepaliveTimeoutMs = 20_000

const answer = {
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
}
const sotwRequest = {
  requestSerialize: sotwRequestCodec.encode,
  requestDeserialize: sotwRequestCodec.decode,
}
const definition = {
  DeltaTokens: {
    path: deltaTokensPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: deltaRequestCodec.encode,
    requestDeserialize: deltaRequestCodec.decode,
    ...answer,
  },
  StreamTokens: {
    path: streamTokensPath,
    requestStream: true,
    responseStream: true,
    ...sotwRequest,
    ...answer,
  },
  FetchTokens: {
    path: fetchTokensPath,
    requestStream: false,
    responseStream: false,
    ...sotwRequest,
    ...answer,
  },
} satisfies ServiceDefinition

/**
 * Starts serving discovery.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startDiscoveryServer(options: DiscoveryServerOptions): Promise<DiscoveryServer> {
  const discovery = createDiscovery(options)
  const fetch = (call: ServerUnaryCall<SotwRequestMessage, Buffer>, done: sendUnaryData<Buffer>) =>
    discovery
      .fetchTokens(call)
      .then(fetched => (Buffer.isBuffer(fetched) ? done(null, fetched) : done(fetched)))

  const server = new Server(serverOptions(options.streamMaxAgeMs))
  server.addService(definition, {
    DeltaTokens: discovery.serveDelta,
    StreamTokens: discovery.serveTokens,
    FetchTokens: fetch,
  })
  const listener = await listen(server, options)
  return {
    port: listener.port,
    close: async () => {
      discovery.close()
      await shutDownGrpcServer(server)
      listener.close()
    },
  }
}

/** What was allowed once must not open streams for ever: a connection takes no more of them when it is old. */
const serverOptions = (streamMaxAgeMs: number) => ({
  interceptors: [liveCallsOnly],
  'grpc.max_receive_message_length': requestBytesLimit,
  'grpc.max_concurrent_streams': streamsOfConnection,
  'grpc.keepalive_time_ms': keepaliveMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  'grpc.max_connection_age_ms': streamMaxAgeMs,
  // The last of its streams ends by itself before.
  'grpc.max_connection_age_grace_ms': streamMaxAgeMs * 1.2,
})

async function listen(server: Server, { address, tls, streamsLimit, logger }: DiscoveryServerOptions) {
  const setting = 'adapter.address'
  if (tls === undefined) {
    const port = await bindGrpcServer(server, address, ServerCredentials.createInsecure(), setting)
    return { port, close: () => undefined }
  }
  const connectionsLimit = streamsLimit + connectionsToRefuse
  return listenGrpcTls({ server, address, setting, files: tls, connectionsLimit, logger })
}
