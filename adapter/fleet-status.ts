/**
 * What an adapter serves and how far its enforcers are: what people, programs and metrics are shown.
 *
 * @module
 */
import type { LogFollower } from '../event-log/follow.ts'
import type { Confirmation } from '../revocation/digest-history.ts'
import type { Fleet } from './fleet.ts'
import type { FleetNode, NodeState } from './fleet-node.ts'

/** The answer of `GET /nodes`. */
export interface FleetStatus {
  /** Position in the event log that is served; -1 before its first entry. */
  readonly version: number
  /** Which log that is; null before it was read. */
  readonly epoch: string | null
  /** Whether new enforcers are served, and why not. */
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** Time since the end of the event log was read and reached; null before the first time. */
  readonly logAgeSeconds: number | null
  /** Keys with live or restored revocations. */
  readonly revocations: number
  /** The port to which enforcers connect. */
  readonly discoveryPort: number
  /** How many enforcers are in each state. */
  readonly counts: Readonly<Record<NodeState, number>>
  /** Enforcers that disconnected a short time ago are missing here, for want of room. */
  readonly incomplete: boolean
  /** Whether no enforcer can be missing here only because this adapter was started a short time ago. */
  readonly settled: boolean
  /** Those in trouble first: refusing, behind, disconnected, current; in each state the one with the greatest lag first. */
  readonly nodes: readonly FleetNode[]
}

/** The status as the answer to who asked for a version. */
export interface FleetAnswer extends FleetStatus {
  /** Whether it is served here: `ahead` not yet, `different` another entry is there, `trimmed` it is not known any more. */
  readonly known: Confirmation
}

/** What a status is made of. */
export interface FleetStatusSources {
  readonly fleet: Fleet
  readonly follower: Pick<LogFollower, 'state' | 'confirmedAtMs'>
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] }
  readonly discoveryPort: number
  /** Since when the fleet has been complete, monotonic milliseconds. */
  readonly settledAtMs: number
}

/** The states, the worst first. */
const states: readonly NodeState[] = ['refusing', 'behind', 'disconnected', 'current']

/** The status at this moment. */
export function fleetStatusOf({
  fleet,
  follower,
  readiness,
  discoveryPort,
  settledAtMs,
}: FleetStatusSources): FleetStatus {
  const nowMs = performance.now()
  const nodes = fleet.nodes(nowMs)
  const logAgeMs = nowMs - follower.confirmedAtMs
  return {
    version: follower.state.position,
    epoch: follower.state.epoch ?? null,
    ready: readiness.ready,
    reasons: readiness.reasons,
    logAgeSeconds: Number.isFinite(logAgeMs) ? Math.round(logAgeMs) / 1000 : null,
    revocations: follower.state.size,
    discoveryPort,
    counts: countStates(nodes),
    incomplete: fleet.isIncomplete(nowMs),
    settled: nowMs >= settledAtMs,
    nodes: nodes.toSorted(worstFirst),
  }
}

function countStates(nodes: readonly FleetNode[]): Record<NodeState, number> {
  const counts = { refusing: 0, behind: 0, disconnected: 0, current: 0 }
  for (const { state } of nodes) counts[state]++
  return counts
}

const worstFirst = (one: FleetNode, other: FleetNode): number =>
  states.indexOf(one.state) - states.indexOf(other.state) ||
  other.lagSeconds - one.lagSeconds ||
  compareText(one.label, other.label) ||
  compareText(one.instance, other.instance)

const compareText = (one: string, other: string): number => (one < other ? -1 : Number(one > other))
