/**
 * The enforcers that are connected, for the admin port and metrics.
 *
 * @module
 */
import type { SessionStatus } from './stream-session.ts'

/** Whatever knows how a stream stands. */
export interface FleetMember {
  readonly status: SessionStatus
}

/** One enforcer, as `GET /nodes` shows it. */
export interface FleetNode {
  readonly label: string
  readonly instance: string
  readonly protocol: SessionStatus['protocol']
  /** It gets only what its protocol can express: revocations by jti, not those of users, sessions or clients. */
  readonly partial: boolean
  /** Address of the peer. */
  readonly peer: string
  /** Last version that it said it has; -1 before its first ACK. */
  readonly ackedVersion: number
  /** Seconds since its last ACK. */
  readonly secondsSinceAck: number | undefined
  /** Why it refused the last message, until it accepts one. */
  readonly nackError: string | undefined
  /** It said goodbye: it no longer serves. */
  readonly saidGoodbye: boolean
}

/** The streams that are open. */
export interface Fleet {
  add(session: FleetMember, peer: string): void
  remove(session: FleetMember): void
  readonly size: number
  /** What is known of each stream that has said who it is. */
  nodes(): readonly FleetNode[]
}

/** Creates an empty fleet. */
export function createFleet(): Fleet {
  const peers = new Map<FleetMember, string>()
  return {
    add: (session, peer) => peers.set(session, peer),
    remove: session => peers.delete(session),
    get size() {
      return peers.size
    },
    nodes: () => [...peers].flatMap(([session, peer]) => fleetNode(session, peer)),
  }
}

function fleetNode(session: FleetMember, peer: string): FleetNode[] {
  const { node, lastAckAtMs, ...status } = session.status
  if (node === undefined) return []
  const secondsSinceAck = lastAckAtMs === undefined ? undefined : (performance.now() - lastAckAtMs) / 1000
  return [{ ...node, peer, ...status, partial: status.protocol === 'sotw', secondsSinceAck }]
}
