/**
 * The discovery service of an adapter, whatever its streams go over: both protocols on the state of one log.
 *
 * @module
 */
import type { DeltaRequestMessage, SotwRequestMessage } from '../proto/wire.ts'
import { systemClock } from '../runtime/clock.ts'
import { Batches, type BatchSettings } from './batches.ts'
import { createDiscoveryStreams, type DiscoveryStreamsOptions } from './discovery-streams.ts'
import { type SotwService, type SotwServiceOptions, startSotwService } from './sotw-service.ts'
import { StreamSession } from './stream-session.ts'
import type { DiscoveryStream } from './stream-shell.ts'

/** What discovery works on. */
export interface DiscoveryOptions
  extends DiscoveryStreamsOptions,
    Pick<SotwServiceOptions, 'texts'>,
    Pick<BatchSettings, 'toleranceSeconds' | 'entriesBytesLimit' | 'sharedBytesLimit'> {}

/** The service. */
export interface Discovery {
  /** Serves a stream of our own protocol until it ends, or refuses it. */
  serveDelta(call: DiscoveryStream<DeltaRequestMessage>): void
  /** The same for a stream of Choreo Connect's. */
  serveTokens(call: DiscoveryStream<SotwRequestMessage>): void
  readonly fetchTokens: SotwService['fetch']
  /** Ends all streams with UNAVAILABLE. */
  close(): void
}

/** Starts to serve. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { follower, clock = systemClock, random = Math.random } = options
  const batches = new Batches(follower.state, {
    ...options,
    nowMs: clock.monotonicMs,
    logAgeMs: () => Math.max(0, Math.round(clock.monotonicMs() - follower.confirmedAtMs)),
  })
  const streams = createDiscoveryStreams(options)
  const delta = streams.kind(batches)
  const sotw = startSotwService({ ...options, streams })
  const createSession = () => new StreamSession({ state: follower.state, batches, follower, random })
  return {
    serveDelta: call => streams.serve(delta, call, createSession),
    serveTokens: sotw.serve,
    fetchTokens: sotw.fetch,
    close: () => {
      streams.close()
      sotw.close()
    },
  }
}
