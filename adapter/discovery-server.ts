/**
 * The discovery service over gRPC: a thin shell around the stream sessions.
 *
 * @module
 */
import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js'
import type { LogFollower } from '../event-log/follow.ts'
import { deltaRequestCodec, deltaTokensPath } from '../proto/wire.ts'
import { bindGrpcServer } from '../runtime/grpc-server.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TlsFiles } from '../runtime/tls/files.ts'
import { listenGrpcTls } from '../runtime/tls/grpc-listener.ts'
import { peerIdentity } from '../runtime/tls/peer-identity.ts'
import { Batches } from './batches.ts'
import type { Fleet } from './fleet.ts'
import type { Peer } from './fleet-node.ts'
import { StreamSession } from './stream-session.ts'
import { type DeltaStream, endStream, serveStream } from './stream-shell.ts'

/** What a discovery server needs. */
export interface DiscoveryServerOptions {
  readonly address: string
  readonly follower: LogFollower
  readonly fleet: Fleet
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
const tickMs = 250
/** So many beyond the streams are let in, to be told why they are refused. */
const connectionsToRefuse = 1_000

/** Pause between pushes: none up to 16 streams, then growing to 100 ms. */
const pushPauseMs = (streams: number): number => (streams <= 16 ? 0 : Math.min(100, streams / 5))

const definition = {
  DeltaTokens: {
    path: deltaTokensPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: deltaRequestCodec.encode,
    requestDeserialize: deltaRequestCodec.decode,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} satisfies ServiceDefinition

/**
 * Starts serving discovery.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen.
 */
export async function startDiscoveryServer(options: DiscoveryServerOptions): Promise<DiscoveryServer> {
  const { follower, fleet, logger } = options
  const batches = new Batches(follower.state, {
    toleranceSeconds: options.toleranceSeconds,
    logAgeMs: () => Math.max(0, Math.round(performance.now() - follower.confirmedAtMs)),
  })
  const pumps = new Set<() => void>()
  let pushing: NodeJS.Timeout | NodeJS.Immediate | undefined

  const push = () => {
    pushing = undefined
    if (pumps.size === 0 || !follower.complete) batches.skip()
    else batches.flush()
    for (const pump of pumps) pump()
  }
  const schedulePush = () => {
    if (pushing !== undefined) return
    const pauseMs = pushPauseMs(pumps.size)
    pushing = pauseMs === 0 ? setImmediate(push) : setTimeout(push, pauseMs)
  }
  const unsubscribe = follower.subscribe(schedulePush)
  const ticking = setInterval(push, tickMs)

  const serve = (call: DeltaStream) => {
    const refusal = refusalOf(follower, pumps.size, options.streamsLimit)
    if (refusal !== undefined) {
      endStream(call, refusal.code, refusal.details)
      return
    }
    const session = new StreamSession({
      state: follower.state,
      batches,
      follower,
      random: Math.random,
    })
    const from = originOf(call)
    const pump = serveStream(call, session, {
      logger,
      from,
      maxAgeMs: options.streamMaxAgeMs,
      onIdentified: () => {
        fleet.add(session, from, performance.now())
      },
      onClosed: () => {
        pumps.delete(pump)
        fleet.remove(session, performance.now())
      },
    })
    pumps.add(pump)
  }

  const server = new Server(serverOptions(options.streamMaxAgeMs))
  server.addService(definition, { DeltaTokens: serve })
  const listener = await listen(server, options)
  return {
    port: listener.port,
    close: async () => {
      clearInterval(ticking)
      clearImmediate(pushing as NodeJS.Immediate)
      clearTimeout(pushing as NodeJS.Timeout)
      unsubscribe()
      server.forceShutdown()
      listener.close()
    },
  }
}

/** What was allowed once must not open streams for ever: a connection takes no more of them when it is old. */
const serverOptions = (streamMaxAgeMs: number) => ({
  'grpc.max_receive_message_length': requestBytesLimit,
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

const originOf = (call: DeltaStream): Peer => ({
  address: call.getPeer(),
  identity: peerIdentity(call.getAuthContext().sslPeerCertificate),
})

function refusalOf(follower: LogFollower, streams: number, streamsLimit: number) {
  if (!follower.complete)
    return { code: status.UNAVAILABLE, details: 'still reading the event log; try again' }
  if (streams >= streamsLimit)
    return { code: status.RESOURCE_EXHAUSTED, details: 'adapter.maxStreams reached' }
  return undefined
}
