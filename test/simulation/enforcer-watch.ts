/**
 * Watches an enforcer: which tokens it rejects, how old it says that its state is, and where it goes.
 *
 * @module
 */
import { isRevoked, type TokenWithKeys } from '../../enforcer/check/revoked.ts'
import { lifetimeAt } from '../../revocation/token-lifetimes.ts'
import { learn, textOf, type WatchOptions } from './held.ts'
import { holds, isAdmitted, type Knowledge, type Known, rejects, type Stored } from './history.ts'
import { type EnforcerNode, rules } from './nodes.ts'
import type { HeldByToken } from './snapshot-disk.ts'
import { violation } from './violation.ts'
import type { SimulatedToken } from './workload.ts'

/** Watches one enforcer's process. */
export interface EnforcerWatch {
  /** For each token what the enforcer must reject it for now: a copy. */
  readonly held: HeldByToken
  /** Tells how long the message that is read now was on its way, milliseconds: no enforcer can know, so it is not counted. */
  noteTransit(ms: number): void
  /** Fails if a promise is broken now. */
  check(): void
  /**
   * Whether it has reached the end of the log, and rejects what its adapter holds; fails if it then rejects what nothing
   * explains.
   */
  checkConverged(ofAdapter: ReadonlySet<Known>): boolean
}

/** A message that all streams share may be so old when it is written, and ages are told in whole milliseconds. */
const sharedForMs = 1_001

/**
 * Starts to watch an enforcer.
 *
 * @param stored what the snapshot that it begins with must hold.
 */
export function watchEnforcer(options: WatchOptions, node: EnforcerNode, stored: HeldByToken): EnforcerWatch {
  const { world, history, cluster, tokens } = options
  const { subscription, process } = node
  const { snapshot } = subscription
  const name = process.machine.name
  const cached = tokens.map(cachedToken)
  const held = tokens.map((_, index) => new Set<Known>(stored[index]))
  let at: Stored | undefined
  let wasReady = false
  let readMs = 0
  let transit = { receivedAtMs: 0, ms: 0 }

  const follow = () => {
    const now = history.find(snapshot.version, snapshot.digest)
    if (now === at) return
    if (now === undefined && snapshot.version > 0)
      throw violation('B2', `${name} is at version ${snapshot.version}, which never was in any log`)
    const before = at
    at = now
    if (now === undefined) return
    // Who has nothing but the entry at position 0 says on the wire that it has nothing.
    const said = before !== undefined && before.position > 0
    if (said && !holds(now, before) && cluster.servers.every(({ end }) => holds(end, before)))
      throw violation(
        'C2',
        `${name} went from version ${before.position}, which the log still has, to ${now.position}`,
      )
    for (const [token, known] of held.entries()) learn(known, now, now.knowledge.matching[token] ?? [])
  }

  const checkTokens = () => {
    const nowSeconds = process.clock.wallMs() / 1000
    const liveAfter = nowSeconds - snapshot.toleranceSeconds
    for (const [index, token] of tokens.entries()) {
      if (!isAccepted(token, snapshot.lifetimes, nowSeconds, snapshot.toleranceSeconds)) continue
      const revoked = isRevoked(cached[index] as TokenWithKeys, snapshot, nowSeconds)
      if (revoked && token.isControl)
        throw violation('control', `${name} rejects ${token.name}, which nobody revoked`)
      const reason = revoked
        ? undefined
        : [...(held[index] as Set<Known>)].find(one => rejects(one, token, liveAfter))
      if (reason !== undefined)
        throw violation(
          'invariant 1',
          `${name} at version ${snapshot.version} accepts ${token.name}; ${textOf(reason)}`,
        )
    }
  }

  const checkStaleness = () => {
    const lastEndAtMs = at === undefined ? Number.POSITIVE_INFINITY : latestEndAtMs(at)
    if (lastEndAtMs === Number.POSITIVE_INFINITY) return
    const nowMs = process.clock.monotonicMs()
    const receivedAtMs = nowMs - subscription.stalenessMs(nowMs)
    // Only of the last message that was accepted.
    if (Math.abs(receivedAtMs - transit.receivedAtMs) > 0.01) transit = { receivedAtMs, ms: readMs }
    // How old a stored state is, only the wall clock tells.
    const clockMs = subscription.isStored ? rules.maxClockDifferenceSeconds * 1_000 : 0
    const told = subscription.stalenessMs(nowMs) + transit.ms + sharedForMs + clockMs
    const true_ = world.scheduler.nowMs - lastEndAtMs
    if (told < true_)
      throw violation(
        'C4',
        `${name} says that its state is ${Math.round(told)} ms old; it is ${Math.round(true_)}`,
      )
  }

  /** What may reject a token at the end of the log; when the log has lost something, anything that it ever held. */
  const reasonsFor = (token: number): readonly Known[] => {
    if (at === undefined || cluster.accidents > 0) return history.matching(token)
    const { knowledge } = at
    const matching = knowledge.matching[token] ?? []
    return matching.filter(one => mayBeInForce(knowledge, one) && isAdmitted(knowledge, one))
  }

  return {
    get held() {
      follow()
      return held.map(each => new Set(each))
    },
    noteTransit: ms => {
      readMs = ms
    },
    check: () => {
      follow()
      const reasons = subscription.notReadyReasons()
      if (reasons.length > 0) {
        if (wasReady) throw violation('C1', `${name} is no longer ready: ${reasons.join(', ')}`)
        return
      }
      if (!wasReady && snapshot.version < 0) throw violation('C1', `${name} is ready without a state`)
      wasReady = true
      checkTokens()
      checkStaleness()
    },
    checkConverged: ofAdapter => {
      if (subscription.notReadyReasons().length > 0 || at === undefined || at !== cluster.leader.end)
        return false
      const nowSeconds = process.clock.wallMs() / 1000
      const unexplained = tokens.find(
        (token, index) =>
          isAccepted(token, snapshot.lifetimes, nowSeconds, snapshot.toleranceSeconds) &&
          isRevoked(cached[index] as TokenWithKeys, snapshot, nowSeconds) &&
          !reasonsFor(index).some(one => rejects(one, token, nowSeconds - snapshot.toleranceSeconds)),
      )
      const isBehindAdapter = tokens.some(
        (token, index) =>
          isAccepted(token, snapshot.lifetimes, nowSeconds, snapshot.toleranceSeconds) &&
          !isRevoked(cached[index] as TokenWithKeys, snapshot, nowSeconds) &&
          history
            .matching(index)
            .some(one => ofAdapter.has(one) && rejects(one, token, nowSeconds - snapshot.toleranceSeconds)),
      )
      if (unexplained !== undefined)
        throw violation('invariant 2', `${name} rejects ${unexplained.name}, and nothing in the log says so`)
      return !isBehindAdapter
    },
  }
}

/**
 * When an entry, or one before it, was last the end of a server. A former leader that still answers vouches for its own
 * end; who then reads on at its successor has not become older by that.
 */
function latestEndAtMs(entry: Stored): number {
  let latest = Number.NEGATIVE_INFINITY
  for (let one: Stored | undefined = entry; one !== undefined; one = one.before)
    latest = Math.max(latest, one.lastEndAtMs)
  return latest
}

/** Whether a token would pass if it were not revoked. */
const isAccepted = (
  { iat, exp }: SimulatedToken,
  lifetimes: Parameters<typeof lifetimeAt>[0],
  nowSeconds: number,
  toleranceSeconds: number,
): boolean =>
  exp > nowSeconds - toleranceSeconds &&
  iat <= nowSeconds + toleranceSeconds &&
  exp - iat <= lifetimeAt(lifetimes, iat)

const cachedToken = ({ claims, iat }: SimulatedToken): TokenWithKeys => ({
  token: {
    payload: claims as TokenWithKeys['token']['payload'],
    kid: 'k',
    iatSeconds: Math.floor(iat),
    fingerprint: () => '',
    signature: () => '',
  },
  claimSets: undefined,
  keys: undefined,
})

/** A restoration is kept as long as what it restored would have lasted: a repeat that comes later, and lasts longer, counts. */
const mayBeInForce = ({ restored }: Knowledge, { revocation, storedAt }: Known): boolean => {
  const keptUntil = restored.get(revocation.id)
  return keptUntil === undefined || storedAt + rules.maxClockDifferenceSeconds > keptUntil
}
