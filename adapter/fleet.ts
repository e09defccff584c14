/**
 * The enforcers that are connected, for the admin port and metrics.
 *
 * @module
 */
import type { StreamSession } from './stream-session.ts'

/** One enforcer, as `GET /nodes` shows it. */
export interface FleetNode {
  readonly label: string
  readonly instance: string
  /** Address of the peer. */
  readonly peer: string
  /** Name in its client certificate, which was verified (mTLS); undefined without one. */
  readonly identity: string | undefined
  /** Last version that it said it has; -1 before its first ACK. */
  readonly ackedVersion: number
  /** Seconds since its last ACK. */
  readonly secondsSinceAck: number | undefined
  /** Why it refused the last message, until it accepts one. */
  readonly nackError: string | undefined
  /** It said goodbye: it no longer serves. */
  readonly saidGoodbye: boolean
}

/** Where a stream comes from. */
export type StreamOrigin = Pick<FleetNode, 'peer' | 'identity'>

/** The streams that are open. */
export interface Fleet {
  add(session: StreamSession, from: StreamOrigin): void
  remove(session: StreamSession): void
  readonly size: number
  /** What is known of each stream that has said who it is. */
  nodes(): readonly FleetNode[]
}

/** Creates an empty fleet. */
export function createFleet(): Fleet {
  const origins = new Map<StreamSession, StreamOrigin>()
  return {
    add: (session, from) => origins.set(session, from),
    remove: session => origins.delete(session),
    get size() {
      return origins.size
    },
    nodes: () => [...origins].flatMap(([session, from]) => fleetNode(session, from)),
  }
}

function fleetNode(session: StreamSession, from: StreamOrigin): FleetNode[] {
  const { node, lastAckAtMs, ...status } = session.status
  if (node === undefined) return []
  const secondsSinceAck = lastAckAtMs === undefined ? undefined : (performance.now() - lastAckAtMs) / 1000
  return [{ ...node, ...from, ...status, secondsSinceAck }]
}
