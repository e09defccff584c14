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
import type { TextsOnDisk } from '../event-log/checkpoint-texts.ts'
import type { LogFollower } from '../event-log/follow.ts'
import {
  type DeltaRequestMessage,
  deltaRequestCodec,
  deltaTokensPath,
  fetchTokensPath,
  type SotwRequestMessage,
  sotwRequestCodec,
  streamTokensPath,
} from '../proto/wire.ts'
import { bindGrpcServer, shutDownGrpcServer } from '../runtime/grpc-server.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { listenGrpcTls } from '../runtime/tls/grpc-listener.ts'
import { Batches } from './batches.ts'
import { createDiscoveryStreams } from './discovery-streams.ts'
import type { Fleet } from './fleet.ts'
import { startSotwService } from './sotw-service.ts'
import { StreamSession } from './stream-session.ts'
import type { DiscoveryStream } from './stream-shell.ts'

/** What a discovery server needs. */
export interface DiscoveryServerOptions {
  readonly address: string
  readonly follower: LogFollower
  readonly fleet: Fleet
  /** The texts of revocations, for streams that need them; without them those are refused. */
  readonly texts?: TextsOnDisk | undefined
  readonly toleranceSeconds: number
  /** Streams end after this time, give or take 10 %, so that a load balancer spreads them again. */
  readonly streamMaxAgeMs: number
  readonly streamsLimit: number
  /** Certificate and key, with authorities for mTLS; undefined: not encrypted. */
  readonly tls?: TlsFiles | undefined
  readonly logger: Logger
}

/** A running discovery server. */
export interface DiscoveryServer {
  readonly port: number
  close(): Promise<void>
}

const requestBytesLimit = 64 * 1024
/** So many beyond the streams are let in, to be told why they are refused. */
const connectionsToRefuse = 1_000
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
  const { follower } = options
  const batches = new Batches(follower.state, {
    toleranceSeconds: options.toleranceSeconds,
    logAgeMs: () => Math.max(0, Math.round(performance.now() - follower.confirmedAtMs)),
  })
  const streams = createDiscoveryStreams(options)
  const delta = streams.kind(batches)
  const sotw = startSotwService({ ...options, streams })

  const serveDelta = (call: DiscoveryStream<DeltaRequestMessage>) => {
    const session = () => new StreamSession({ state: follower.state, batches, follower, random: Math.random })
    streams.serve(delta, call, session)
  }
  const fetch = (call: ServerUnaryCall<SotwRequestMessage, Buffer>, done: sendUnaryData<Buffer>) =>
    sotw.fetch(call).then(fetched => (Buffer.isBuffer(fetched) ? done(null, fetched) : done(fetched)))

  const server = new Server(serverOptions(options.streamMaxAgeMs))
  server.addService(definition, { DeltaTokens: serveDelta, StreamTokens: sotw.serve, FetchTokens: fetch })
  const listener = await listen(server, options)
  return {
    port: listener.port,
    close: async () => {
      streams.close()
      sotw.close()
      await shutDownGrpcServer(server)
      listener.close()
    },
  }
}

/** What was allowed once must not open streams for ever: a connection takes no more of them when it is old. */
const serverOptions = (streamMaxAgeMs: number) => ({
  'grpc.max_receive_message_length': requestBytesLimit,
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
