/**
 * The enforcers of an adapter: those that are connected, and for a while those that were. No I/O, no timers.
 *
 * @module
 */
import type { NodeIdentity } from './first-request.ts'
import { describeNode, type FleetNode, type KnownNode, knownByStreams, type Peer } from './fleet-node.ts'
import type { SessionStatus } from './stream-session.ts'
import { createVersionTimes } from './version-times.ts'

/** Limits of a fleet. */
export interface FleetOptions {
  /** Enforcers at a time. There is always room for those that are connected if no more streams are let in. */
  readonly nodesLimit: number
  /** For how long an enforcer is remembered after its last stream closed, unless it said goodbye; milliseconds. */
  readonly rememberedMs: number
}

/** What the fleet must know of a stream. */
export interface FleetStream {
  readonly status: SessionStatus
}

/** The enforcers. An enforcer is its certificate's identity, its label and its instance. */
export interface Fleet {
  /** A stream whose enforcer has said who it is. */
  add(stream: FleetStream, peer: Peer, nowMs: number): void
  /** A stream has closed. One that was never added is passed over. */
  remove(stream: FleetStream, nowMs: number): void
  /**
   * The adapter serves this version now.
   *
   * @param restarts changes when the log was read anew: versions then mean other things.
   */
  serves(version: number, restarts: number, nowMs: number): void
  /** An enforcer has answered on one of its streams. */
  answered(): void
  /** Calls back after enforcers came, left or answered, or another version is served; returns how to stop that. */
  subscribe(listener: () => void): () => void
  /**
   * The version that all connected enforcers acknowledged, on all of their streams; -1 if one refuses what it is sent,
   * Infinity if there are none.
   */
  leastAcked(): number
  /** Enforcers that are connected. */
  readonly connected: number
  /** Whether an enforcer was forgotten too early, within the time for which it should be remembered, for want of room. */
  isIncomplete(nowMs: number): boolean
  /** What is known of each, those that are connected first; not of those that said goodbye. */
  nodes(nowMs: number): readonly FleetNode[]
}

interface Opened {
  readonly stream: FleetStream
  readonly node: NodeIdentity
  readonly key: string
  readonly peer: Peer
  readonly sinceMs: number
}

/** Creates an empty fleet. */
export function createFleet({ nodesLimit, rememberedMs }: FleetOptions): Fleet {
  const streams = new Map<FleetStream, Opened>()
  const connected = new Map<string, readonly Opened[]>()
  /** In the order in which they left. */
  const gone = new Map<string, KnownNode>()
  const times = createVersionTimes()
  let served = { version: -1, restarts: 0 }
  let crowdedOutAtMs = Number.NEGATIVE_INFINITY
  const listeners = new Set<() => void>()

  const tell = () => {
    for (const listener of listeners) listener()
  }

  const forget = (nowMs: number) => {
    for (const [key, { sinceMs }] of gone) {
      const isOver = nowMs - sinceMs >= rememberedMs
      if (!isOver && connected.size + gone.size <= nodesLimit) return
      if (!isOver) crowdedOutAtMs = nowMs
      gone.delete(key)
    }
  }

  return {
    add(stream, peer, nowMs) {
      const { node } = stream.status
      if (node === undefined) return
      const key = JSON.stringify([peer.identity ?? null, node.label, node.instance])
      const opened: Opened = { stream, node, key, peer, sinceMs: nowMs }
      streams.set(stream, opened)
      connected.set(key, [...(connected.get(key) ?? []), opened])
      gone.delete(key)
      forget(nowMs)
      tell()
    },
    remove(stream, nowMs) {
      const closed = streams.get(stream)
      if (closed === undefined) return
      streams.delete(stream)
      const rest = (connected.get(closed.key) ?? []).filter(opened => opened !== closed)
      if (rest.length > 0) connected.set(closed.key, rest)
      else {
        connected.delete(closed.key)
        if (!stream.status.saidGoodbye) gone.set(closed.key, asGone(closed, nowMs))
      }
      forget(nowMs)
      tell()
    },
    serves(version, restarts, nowMs) {
      const isNew = version !== served.version || restarts !== served.restarts
      if (restarts !== served.restarts) {
        times.clear()
        for (const [key, known] of gone) gone.set(key, withoutVersion(known))
      }
      served = { version, restarts }
      times.reached(version, nowMs)
      if (isNew) tell()
    },
    answered: tell,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    leastAcked() {
      let least = Number.POSITIVE_INFINITY
      for (const { status } of streams.keys())
        if (!status.saidGoodbye) least = Math.min(least, ackedOf(status))
      return least
    },
    get connected() {
      return connected.size
    },
    isIncomplete: nowMs => nowMs - crowdedOutAtMs < rememberedMs,
    nodes(nowMs) {
      forget(nowMs)
      const known = [...[...connected.values()].flatMap(knownIfServing), ...gone.values()]
      return known.map(each => describeNode(each, { version: served.version, times }, nowMs))
    },
  }
}

function knownIfServing(all: readonly Opened[]): KnownNode[] {
  const serving = all.filter(({ stream }) => !stream.status.saidGoodbye)
  const [first] = serving
  return first === undefined ? [] : [knownOf(first.node, serving)]
}

function knownOf(node: NodeIdentity, all: readonly Opened[]): KnownNode {
  const streams = all.map(({ stream, peer, sinceMs }) => ({ status: stream.status, peer, sinceMs }))
  return knownByStreams(node, streams)
}

/** What it had when its last stream closed; nothing is being sent to it, so there is no back-off either. */
function asGone(closed: Opened, nowMs: number): KnownNode {
  const known = knownOf(closed.node, [closed])
  return { ...known, streams: 0, sinceMs: nowMs, status: { ...known.status, retryAtMs: undefined } }
}

const ackedOf = ({ ackedVersion, nackError }: SessionStatus): number =>
  nackError === undefined ? ackedVersion : -1

const withoutVersion = (known: KnownNode): KnownNode => ({
  ...known,
  leastAckedVersion: -1,
  status: { ...known.status, ackedVersion: -1 },
})
