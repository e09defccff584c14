/**
 * StreamTokens and FetchTokens: discovery as Choreo Connect's enforcers speak it.
 *
 * @module
 */
import { status } from '@grpc/grpc-js'
import type { TextsOnDisk } from '../event-log/checkpoint-texts.ts'
import type { LogFollower } from '../event-log/follow.ts'
import type { SotwRequestMessage } from '../proto/wire.ts'
import type { Logger } from '../runtime/logger.ts'
import type { DiscoveryStreams } from './discovery-streams.ts'
import { createFetchPlaces, type FetchCall } from './fetch-places.ts'
import { fetchTokens } from './fetch-tokens.ts'
import { createSotwBatches, type SotwBatches } from './sotw-batches.ts'
import { createSotwSession, sotwNodeOf } from './sotw-session.ts'
import { createSotwTexts } from './sotw-texts.ts'
import { type DiscoveryStream, endCall, type Refusal, refusalFor } from './stream-shell.ts'

/** What the service works on. */
export interface SotwServiceOptions {
  readonly follower: LogFollower
  readonly streams: DiscoveryStreams
  readonly texts?: TextsOnDisk | undefined
  readonly toleranceSeconds: number
  readonly logger: Logger
}

/** The service. */
export interface SotwService {
  serve(call: DiscoveryStream<SotwRequestMessage>): void
  /** The encoded answer, or why there is none. */
  fetch(call: FetchCall): Promise<Buffer | Refusal>
  close(): void
}

const withoutTexts: Refusal = {
  code: status.FAILED_PRECONDITION,
  details:
    'adapter.dataFolder is not set: revocations have their jti only on disk, so that this protocol needs it',
}

/** Starts the service; it takes note of what is applied while a stream is open. */
export function startSotwService(options: SotwServiceOptions): SotwService {
  return options.texts === undefined ? refuseAll : serveTexts(options, options.texts)
}

const refuseAll: SotwService = {
  serve: call => endCall(call, withoutTexts.code, withoutTexts.details),
  fetch: async () => withoutTexts,
  close: () => undefined,
}

function serveTexts({ follower, streams, logger, ...options }: SotwServiceOptions, texts: TextsOnDisk) {
  const source = createSotwTexts({ texts, logger, onWritten: streams.schedulePush })
  const batches = createSotwBatches({
    state: follower.state,
    texts: source,
    toleranceSeconds: options.toleranceSeconds,
    nowSeconds: () => Date.now() / 1000,
    nextTurn: setImmediate,
  })
  const kind = streams.kind(batches)
  const stopAdding = follower.onApplied((_, applied) => {
    if (kind.open.size > 0 && follower.complete) batches.add(applied)
  })
  return {
    serve: (call: DiscoveryStream<SotwRequestMessage>) =>
      streams.serve(kind, call, () => createSotwSession({ batches, follower, random: Math.random })),
    fetch: createFetch(batches, streams, logger),
    close: () => {
      stopAdding()
      source.close()
    },
  }
}

function createFetch(batches: SotwBatches, streams: DiscoveryStreams, logger: Logger): SotwService['fetch'] {
  const places = createFetchPlaces()
  return async call => {
    const refused = streams.refusal() ?? places.take(call)
    if (refused !== undefined) return refused
    try {
      sotwNodeOf(call.request)
      return await fetchTokens(batches, () => call.cancelled)
    } catch (error) {
      return refusalFor(error, logger)
    }
  }
}
