/**
 * Tokens that are revoked one after the other, and rounds of checks: what was revoked must be rejected for that reason,
 * and tokens that never were must pass in the same round.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { until } from './condition.ts'
import type { EnforcerClient } from './enforcer-client.ts'
import type { TestIssuer } from './issuer.ts'
import { postRevocation } from './revoking.ts'

/** Something with an enforcer's client. */
interface Enforcer {
  readonly client: EnforcerClient
}

/** Tokens of which it is known whether their revocation was acknowledged. */
export interface TokenRounds {
  /** Tokens whose revocation was acknowledged, in the order of that. */
  readonly revoked: readonly string[]
  /** Revokes new tokens; throws unless each is acknowledged. */
  revoke(count: number): Promise<void>
  /** Revokes one token; the status of the answer. */
  tryRevoke(): Promise<number>
  /** Fails unless the enforcer rejects everything that was revoked, and lets everything else pass. */
  check(enforcer: Enforcer): Promise<void>
  /** Waits until {@link check} does not fail at any of the enforcers. */
  reached(enforcers: readonly Enforcer[], timeoutMs?: number): Promise<void>
  /**
   * Asks again and again about what was revoked until now, while something happens; fails if any of it passes. No
   * answer, as while an enforcer restarts, is not a decision.
   */
  watchedWhile(enforcers: readonly Enforcer[], happens: () => Promise<void>): Promise<void>
}

const concurrency = 32
const controls = 10
const watchPauseMs = 20
/** Tokens of one round of {@link TokenRounds.watchedWhile}. */
const watchedAtOnce = 16

/** Begins without any revoked token. */
export function createTokenRounds(issuer: TestIssuer, revokerPort: number): TokenRounds {
  const revoked: string[] = []
  const sign = () => issuer.sign({}, { alg: 'ES256' })

  const tryRevoke = async () => {
    const token = await sign()
    const answer = await postRevocation(revokerPort, { token })
    if (answer.status === 200 || answer.status === 201) revoked.push(token)
    return answer.status
  }
  const check = async ({ client }: Enforcer) => {
    await client.connected()
    const others = await Promise.all(Array.from({ length: controls }, sign))
    const reasons = await inTurns(revoked, async token => (await client.checkToken(token)).reason)
    const wrong = reasons.filter(reason => reason !== 'revoked').length
    assert.equal(wrong, 0, `${wrong} of ${revoked.length} revoked tokens are not rejected as revoked`)
    for (const token of others) assert.equal((await client.checkToken(token)).code, status.OK)
  }

  return {
    revoked,
    tryRevoke,
    check,
    revoke: async count => {
      const statuses = await inTurns(Array.from({ length: count }), tryRevoke)
      const refused = statuses.filter(code => code !== 200 && code !== 201)
      assert.deepEqual(refused, [], 'revocations were not acknowledged')
    },
    reached: async (enforcers, timeoutMs = 60_000) => {
      for (const enforcer of enforcers) {
        await until('all that was revoked is rejected', () => check(enforcer).then(() => true), { timeoutMs })
      }
    },
    watchedWhile: async (enforcers, happens) => {
      const watched = [...revoked]
      const stop = new AbortController()
      const watching = Promise.all(enforcers.map(enforcer => watchOne(enforcer, watched, stop.signal)))
      // It is awaited when that which happens has ended.
      watching.catch(() => undefined)
      await happens().finally(() => stop.abort())
      assert.ok(
        (await watching).every(rejections => rejections > 0),
        'nothing was watched',
      )
    },
  }
}

/** How often something was rejected; throws when something passed. */
async function watchOne({ client }: Enforcer, tokens: readonly string[], stop: AbortSignal): Promise<number> {
  let rejections = 0
  for (let first = 0; !stop.aborted; first = (first + watchedAtOnce) % tokens.length) {
    const decisions = tokens
      .slice(first, first + watchedAtOnce)
      .map(token => client.checkToken(token).catch(() => undefined))
    const reasons = (await Promise.all(decisions)).flatMap(decision => (decision ? [decision.reason] : []))
    assert.ok(
      reasons.every(reason => reason === 'revoked'),
      `a revoked token came back to life: ${reasons}`,
    )
    rejections += reasons.length
    await pause(watchPauseMs, undefined, { signal: stop }).catch(() => undefined)
  }
  return rejections
}

/** A few at a time; the results in the order of the items. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  action: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await action(items[at] as Item)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return results
}
