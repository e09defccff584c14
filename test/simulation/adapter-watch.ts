/**
 * Watches an adapter: whether it has read everything when it says so, and forgets nothing.
 *
 * @module
 */
import type { RestartReason } from '../../event-log/restart-reason.ts'
import { keyFromText } from '../../revocation/key.ts'
import { learn, textOf, type WatchOptions } from './held.ts'
import { holds, type Known, type Stored } from './history.ts'
import { type FollowingNode, rules } from './nodes.ts'
import { violation } from './violation.ts'

/** Watches one adapter's process. */
export interface AdapterWatch {
  /** What it must hold until it expires or is restored. */
  readonly held: ReadonlySet<Known>
  /** Tells why the adapter is about to read the log from its start. */
  noteRestart(reason: RestartReason): void
  check(): void
}

/** What was forgotten stays forgotten: an adapter that has read nothing new is looked at only now and then. */
const lookEveryMs = 250

/**
 * Starts to watch an adapter.
 *
 * @param kept what its disk must have held when it began.
 * @param onDisk what its disk must hold now, if it has one.
 */
export function watchAdapter(
  options: WatchOptions,
  node: FollowingNode,
  kept: ReadonlySet<Known>,
  onDisk: () => ReadonlySet<Known> | undefined,
): AdapterWatch {
  const { history, cluster, world } = options
  const { follower, process } = node
  const { state } = follower
  const name = process.machine.name
  const held = new Set(kept)
  let at: Stored | undefined
  let restarts = 0
  let wasComplete = false
  /** Where the log ended when the process began; nobody knows what was read when it began to read again. */
  let floor: { end: Stored | undefined; atMs: number } | undefined = {
    end: cluster.leader.end,
    atMs: world.scheduler.nowMs,
  }

  let lookedAt = { nowMs: 0, position: -2, restarts: 0, complete: false }

  const checkComplete = () => {
    if (restarts !== follower.restarts) {
      restarts = follower.restarts
      floor = undefined
      wasComplete = false
    }
    if (!follower.complete || wasComplete) return
    wasComplete = true
    const written = onDisk()
    const isLeftOver = (one: Known) => !at?.knowledge.revocations.includes(one)
    const unwritten = [...held].find(one => isLeftOver(one) && written?.has(one) === false)
    if (unwritten !== undefined)
      throw violation('B3', `${name} serves what it has not written to its disk: ${textOf(unwritten)}`)
    if (floor?.end !== undefined && cluster.accidentAtMs < floor.atMs && !holds(at, floor.end))
      throw violation(
        'C2',
        `${name} counts as complete at ${state.position}; the log ended at ${floor.end.position} when it began to read`,
      )
  }

  const checkHeld = () => {
    // By the clock that is behind most: half of the greatest difference.
    const neededAfter = world.wallMs() / 1000 - rules.toleranceSeconds - rules.maxClockDifferenceSeconds / 2
    for (const known of held) {
      if (leastExpiryOf(known) <= neededAfter) held.delete(known)
      else if (!isHeld(known))
        throw violation('B3', `${name} at ${state.position} has forgotten: ${textOf(known)}`)
    }
  }
  const isHeld = ({ key, revocation: { issuedBefore, expiresAt = 0 } }: Known): boolean => {
    const entry = state.entry(keyFromText(key))
    if (entry === undefined) return false
    return issuedBefore === undefined
      ? entry.expiresAt >= Math.ceil(expiresAt)
      : entry.issuedBefore >= Math.floor(issuedBefore)
  }

  return {
    held,
    noteRestart: reason => {
      const start = cluster.leader.entries[0]?.position ?? 0
      const isLost = at !== undefined && !cluster.servers.some(({ end }) => holds(end, at as Stored))
      if (reason === 'trimmed' && isLost && (at?.position ?? -1) >= start)
        world.fail(violation('B3', `${name} takes for trimmed what the log has lost`))
      if (reason === 'rolled back' && cluster.accidents === 0)
        world.fail(violation('B3', `${name} raises an alarm, but the log has lost nothing`))
    },
    check: () => {
      const { nowMs } = world.scheduler
      const isChanged =
        lookedAt.position !== state.position ||
        lookedAt.restarts !== follower.restarts ||
        lookedAt.complete !== follower.complete
      if (!isChanged && nowMs < lookedAt.nowMs + lookEveryMs) return
      lookedAt = { nowMs, position: state.position, restarts: follower.restarts, complete: follower.complete }
      const now = history.find(state.position, state.digest.toString(16).padStart(16, '0'))
      if (now === undefined && state.position > 0)
        throw violation('B2', `${name} is at position ${state.position}, which never was in any log`)
      at = now
      checkComplete()
      if (now !== undefined) learn(held, now, now.knowledge.revocations, follower.complete)
      checkHeld()
    },
  }
}

/** When nobody needs a revocation any more: a cut is needed as long as a token with the shortest lifetime. */
const leastExpiryOf = ({ revocation: { issuedBefore, expiresAt = 0 } }: Known): number =>
  issuedBefore === undefined ? expiresAt : Math.floor(issuedBefore) + rules.lifetimeSeconds
