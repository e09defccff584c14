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
import { Batches } from './batches.ts'
import type { Fleet } from './fleet.ts'
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
  readonly logger: Logger
}

/** A running discovery server. */
export interface DiscoveryServer {
  readonly port: number
  close(): Promise<void>
}

const requestBytesLimit = 64 * 1024
const tickMs = 250

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
    const pump = serveStream(call, session, {
      logger,
      maxAgeMs: options.streamMaxAgeMs,
      onIdentified: () => {
        fleet.add(session, { address: call.getPeer(), identity: undefined }, performance.now())
      },
      onClosed: () => {
        pumps.delete(pump)
        fleet.remove(session, performance.now())
      },
    })
    pumps.add(pump)
  }

  const server = new Server({ 'grpc.max_receive_message_length': requestBytesLimit })
  server.addService(definition, { DeltaTokens: serve })
  const port = await bindGrpcServer(
    server,
    options.address,
    ServerCredentials.createInsecure(),
    'adapter.address',
  )
  return {
    port,
    close: async () => {
      clearInterval(ticking)
      clearImmediate(pushing as NodeJS.Immediate)
      clearTimeout(pushing as NodeJS.Timeout)
      unsubscribe()
      server.forceShutdown()
    },
  }
}

function refusalOf(follower: LogFollower, streams: number, streamsLimit: number) {
  if (!follower.complete)
    return { code: status.UNAVAILABLE, details: 'still reading the event log; try again' }
  if (streams >= streamsLimit)
    return { code: status.RESOURCE_EXHAUSTED, details: 'adapter.maxStreams reached' }
  return undefined
}
