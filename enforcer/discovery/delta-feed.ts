/**
 * The delta protocol as a feed.
 *
 * @module
 */
import {
  type DeltaRequest,
  type DeltaResponseMessage,
  deltaRequestCodec,
  deltaResponseCodec,
  deltaTokensPath,
} from '../../proto/wire.ts'
import type { Feed, FeedProtocol } from './feed.ts'
import type { Subscription } from './subscription.ts'

const protocol: FeedProtocol<DeltaRequest, DeltaResponseMessage> = {
  path: deltaTokensPath,
  encode: deltaRequestCodec.encode,
  decode: deltaResponseCodec.decode,
  responseBytesLimit: 16 * 2 ** 20,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
  // An adapter sends a heartbeat each second.
  silenceLimitMs: 5_000,
}

/** The feed of a subscription. */
export function createDeltaFeed(subscription: Subscription): Feed<DeltaRequest, DeltaResponseMessage> {
  let waiting: DeltaResponseMessage[] = []
  let steps: ReturnType<Subscription['receive']> | undefined
  return {
    protocol,
    snapshot: subscription.snapshot,
    open: () => {
      waiting = []
      steps = undefined
      return subscription.open()
    },
    connected: () => undefined,
    closed: () => undefined,
    goodbye: () => subscription.goodbye(),
    take: response => {
      waiting.push(response)
    },
    get busy() {
      return steps !== undefined || waiting.length > 0
    },
    work: (nowMs, nowSeconds) => {
      const next = waiting[0]
      if (next === undefined) return undefined
      steps ??= subscription.receive(next, nowMs, nowSeconds)
      const step = steps.next()
      if (!step.done) return undefined
      steps = undefined
      waiting.shift()
      return step.value
    },
    stalenessMs: nowMs => subscription.stalenessMs(nowMs),
    notReadyReasons: () => subscription.notReadyReasons(),
  }
}
