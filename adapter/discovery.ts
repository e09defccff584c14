/**
 * Serves discovery to the streams that are open: who may open one, and when everybody is looked after. Streams come from
 * a transport.
 *
 * @module
 */
import { status } from '@grpc/grpc-js'
import type { LogFollower } from '../event-log/follow.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { Batches, type BatchSettings } from './batches.ts'
import type { Fleet } from './fleet.ts'
import { StreamSession } from './stream-session.ts'
import { type DeltaStream, endStream, serveStream } from './stream-shell.ts'

/** What discovery works on. */
export interface DiscoveryOptions
  extends Pick<BatchSettings, 'toleranceSeconds' | 'entriesBytesLimit' | 'sharedBytesLimit'> {
  readonly follower: LogFollower
  readonly fleet: Fleet
  /** Streams end after this time, give or take 10 %, so that a load balancer spreads them again. */
  readonly streamMaxAgeMs: number
  readonly streamsLimit: number
  readonly logger: Logger
  /** Default: this machine's. */
  readonly clock?: Clock
  /** 0 to 1; default Math.random. */
  readonly random?: () => number
}

/** The discovery service of an adapter. */
export interface Discovery {
  /** Serves a stream that was opened until it ends, or refuses it. */
  serve(call: DeltaStream): void
  /** Stops looking after the streams; it does not end them. */
  close(): void
}

const tickMs = 250

/** Pause between pushes: none up to 16 streams, then growing to 100 ms. */
const pushPauseMs = (streams: number): number => (streams <= 16 ? 0 : Math.min(100, streams / 5))

/** Starts to look after streams. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { follower, fleet, logger, clock = systemClock, random = Math.random } = options
  const batches = new Batches(follower.state, {
    ...options,
    nowMs: clock.monotonicMs,
    logAgeMs: () => Math.max(0, Math.round(clock.monotonicMs() - follower.confirmedAtMs)),
  })
  const pumps = new Set<() => void>()
  let stopPush: (() => void) | undefined

  const push = () => {
    stopPush = undefined
    if (pumps.size === 0 || !follower.complete) batches.skip()
    else batches.flush()
    for (const pump of pumps) pump()
  }
  const unsubscribe = follower.subscribe(() => {
    stopPush ??= clock.after(pushPauseMs(pumps.size), push)
  })
  const stopTicking = clock.every(tickMs, push)

  return {
    serve: call => {
      const refusal = refusalOf(follower, fleet, options.streamsLimit)
      if (refusal !== undefined) {
        endStream(call, refusal.code, refusal.details)
        return
      }
      const session = new StreamSession({ state: follower.state, batches, follower, random })
      const pump = serveStream(call, session, {
        logger,
        maxAgeMs: options.streamMaxAgeMs * (0.9 + random() * 0.2),
        clock,
        onClosed: () => {
          pumps.delete(pump)
          fleet.remove(session)
        },
      })
      pumps.add(pump)
      fleet.add(session, call.getPeer())
    },
    close: () => {
      stopTicking()
      stopPush?.()
      unsubscribe()
    },
  }
}

function refusalOf(follower: LogFollower, fleet: Fleet, streamsLimit: number) {
  if (!follower.complete)
    return { code: status.UNAVAILABLE, details: 'still reading the event log; try again' }
  if (fleet.size >= streamsLimit)
    return { code: status.RESOURCE_EXHAUSTED, details: 'adapter.maxStreams reached' }
  return undefined
}
