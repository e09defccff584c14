/**
 * An enforcer's discovery client and table in this process, and when the table began to reject each token. What a Check
 * adds to that, verification of the token, is remembered for tokens that were seen before.
 *
 * @module
 */
import { startDiscoveryClient } from '../../enforcer/discovery/client.ts'
import { createDeltaFeed } from '../../enforcer/discovery/delta-feed.ts'
import { createGrpcStreams } from '../../enforcer/discovery/grpc-streams.ts'
import { Subscription } from '../../enforcer/discovery/subscription.ts'
import { tokenKeys } from '../../revocation/token-keys.ts'
import { until } from '../../test/support/condition.ts'
import { createErrorLogger } from '../../test/support/published-log.ts'
import { clockMs } from '../load/clock.ts'

/** Claims of a token. */
type Claims = Readonly<Record<string, unknown>> & { readonly iat: number }

/** Somebody who watches. */
export interface Watcher {
  /** How many keys are enforced. */
  readonly size: number
  /** Whether a token is rejected now. */
  rejects(number: number): boolean
  /** Resolves when all tokens from `first` on, `count` of them, are rejected: to when each was seen to be, see `clockMs`. */
  watch(first: number, count: number): { readonly done: Promise<Float64Array> }
  close(): Promise<void>
}

const readyTimeoutMs = 120_000
/** A slow machine may take far longer than the revocations are sent. */
const rejectedTimeoutMs = 600_000

/** So many tokens after the last one that was rejected are looked at: revokers finish them in nearly this order. */
const lookAhead = 64

/** Subscribes to an adapter; resolves when it has the adapter's state. */
export async function startWatcher(adapterPort: number, tokens: readonly string[]): Promise<Watcher> {
  const subscription = new Subscription({ label: 'bench', instance: 'bench', revocationsLimit: 100_000_000 })
  const { snapshot } = subscription
  let look: () => void = () => undefined
  const feed = createDeltaFeed(subscription)
  const client = startDiscoveryClient({
    adapters: [`127.0.0.1:${adapterPort}`],
    feed,
    transport: createGrpcStreams(feed.protocol, undefined),
    logger: createErrorLogger().logger,
    onReceived: () => look(),
  })
  await until('the enforcer is ready', () => subscription.notReadyReasons().length === 0, {
    timeoutMs: readyTimeoutMs,
  })
  const all = tokens.map(claimsOf)
  const keys = all.map(claims => tokenKeys(snapshot.claimSets, claims, {}) as Uint32Array)

  const rejects = (number: number): boolean => {
    const words = keys[number] as Uint32Array
    const { iat } = all[number] as Claims
    const liveAfter = Date.now() / 1000
    for (let at = 0; at < words.length; at += 4) {
      const [k0, k1, k2, k3] = words.subarray(at, at + 4) as unknown as [number, number, number, number]
      if (snapshot.table.rejects(k0, k1, k2, k3, iat, liveAfter)) return true
    }
    return false
  }

  const watch = (first: number, count: number) => {
    const atMs = new Float64Array(count)
    let head = 0
    let lookUntil = lookAhead
    look = () => {
      const nowMs = clockMs()
      for (let index = head; index < Math.min(count, lookUntil); index++) {
        if (atMs[index] !== 0 || !rejects(first + index)) continue
        atMs[index] = nowMs
        lookUntil = Math.max(lookUntil, index + 1 + lookAhead)
      }
      while (head < count && atMs[head] !== 0) head += 1
    }
    const done = until('everything is enforced', () => head === count, {
      timeoutMs: rejectedTimeoutMs,
    })
    return { done: done.then(() => atMs) }
  }

  return {
    get size() {
      return snapshot.table.size
    },
    rejects,
    watch,
    close: client.close,
  }
}

const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())
