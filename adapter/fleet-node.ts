/**
 * What is said of one enforcer: from its streams, or from what it had when the last one closed. No I/O.
 *
 * @module
 */
import type { NodeIdentity } from './first-request.ts'
import type { SessionStatus } from './stream-session.ts'
import type { VersionTimes } from './version-times.ts'

/** Who is at the other end of a stream. */
export interface Peer {
  /** Address and port. */
  readonly address: string
  /** Whom its certificate names; undefined if it needed none. */
  readonly identity: string | undefined
}

/** A stream that an enforcer opened, after it has said who it is. Times are monotonic milliseconds. */
export interface OpenedStream {
  readonly status: SessionStatus
  readonly peer: Peer
  readonly sinceMs: number
}

/**
 * `current`: it has the adapter's version, or had it a second ago. `behind`: it has not. `refusing`: it refused what it
 * was sent last. `disconnected`: it has no stream and did not say goodbye.
 */
export type NodeState = 'current' | 'behind' | 'refusing' | 'disconnected'

/** One enforcer, as `GET /nodes` shows it. Names in seconds are ages, or times that are left. */
export interface FleetNode extends NodeIdentity {
  /** Whom its certificate names; left out without mutual TLS. */
  readonly identity: string | undefined
  /** Address of the peer. */
  readonly peer: string
  readonly protocol: SessionStatus['protocol']
  /** It cannot be told everything that is revoked. */
  readonly partial: boolean
  readonly state: NodeState
  readonly connected: boolean
  /** For how long it has been connected, or disconnected. */
  readonly sinceSeconds: number
  /** Streams that it has open; more than one for a moment, or if two enforcers have the same name. */
  readonly streams: number
  /** Last version that it said it has; -1 if it said none. */
  readonly ackedVersion: number
  /** The version that it said it has on all of its streams: of two enforcers with the same name, what both have. */
  readonly leastAckedVersion: number
  /** Positions of the log between `ackedVersion` and the adapter's version. */
  readonly lagVersions: number
  /** 0 if it has the adapter's version; otherwise how long the first version that it lacks has been there for it. */
  readonly lagSeconds: number
  readonly secondsSinceAck: number | undefined
  /** Why it refused what it was sent last, until it accepts something. */
  readonly nackError: string | undefined
  /** Its last refusal, whatever came since. */
  readonly lastNack: { readonly error: string; readonly secondsAgo: number } | undefined
  /** Until the full state is sent again, while the adapter waits after a refusal. */
  readonly secondsUntilRetry: number | undefined
}

/** What is known of an enforcer, whether it is connected or not. Times are monotonic milliseconds. */
export interface KnownNode {
  readonly node: NodeIdentity
  readonly peer: Peer
  readonly status: Omit<SessionStatus, 'node' | 'saidGoodbye'>
  /** 0 if it is disconnected. */
  readonly streams: number
  /** The lowest version that it acknowledged on any of them. */
  readonly leastAckedVersion: number
  /** Since when it has been connected, or disconnected. */
  readonly sinceMs: number
}

/** What an adapter serves, for comparison. */
export interface ServedVersion {
  readonly version: number
  readonly times: VersionTimes
}

/** Lag that nobody needs to hear of. */
const currentLimitMs = 1_000

/**
 * What the open streams of an enforcer say together: the stream with the best version speaks for it, of several the
 * newest; a refusal on any of them counts.
 */
export function knownByStreams(node: NodeIdentity, streams: readonly OpenedStream[]): KnownNode {
  const lead = streams.reduce((best, each) =>
    each.status.ackedVersion >= best.status.ackedVersion ? each : best,
  )
  const refusing = streams.findLast(({ status }) => status.nackError !== undefined)?.status
  const nacks = streams.flatMap(({ status }) => status.lastNack ?? [])
  return {
    node,
    peer: lead.peer,
    sinceMs: lead.sinceMs,
    streams: streams.length,
    leastAckedVersion: Math.min(...streams.map(({ status }) => status.ackedVersion)),
    status: {
      protocol: lead.status.protocol,
      partial: lead.status.partial,
      ackedVersion: lead.status.ackedVersion,
      lastAckAtMs: latest(streams.flatMap(({ status }) => status.lastAckAtMs ?? [])),
      nackError: refusing?.nackError,
      retryAtMs: refusing?.retryAtMs,
      lastNack: nacks.find(({ atMs }) => atMs === latest(nacks.map(nack => nack.atMs))),
    },
  }
}

/** What is shown of an enforcer. */
export function describeNode(known: KnownNode, served: ServedVersion, nowMs: number): FleetNode {
  const { node, peer, status, streams } = known
  const { ackedVersion, lastAckAtMs, lastNack, retryAtMs } = status
  const lagMs = lagMsOf(known, served, nowMs)
  return {
    label: node.label,
    instance: node.instance,
    identity: peer.identity,
    peer: peer.address,
    protocol: status.protocol,
    partial: status.partial,
    state: stateOf(known, lagMs),
    connected: streams > 0,
    sinceSeconds: seconds(nowMs - known.sinceMs),
    streams,
    ackedVersion,
    leastAckedVersion: known.leastAckedVersion,
    // Before the first entry of a log there is version 0.
    lagVersions: Math.max(0, served.version - Math.max(0, ackedVersion)),
    lagSeconds: seconds(lagMs),
    secondsSinceAck: lastAckAtMs === undefined ? undefined : seconds(nowMs - lastAckAtMs),
    nackError: status.nackError,
    lastNack: lastNack && { error: lastNack.error, secondsAgo: seconds(nowMs - lastNack.atMs) },
    secondsUntilRetry: retryAtMs === undefined ? undefined : Math.max(0, seconds(retryAtMs - nowMs)),
  }
}

function stateOf({ streams, status }: KnownNode, lagMs: number): NodeState {
  if (streams === 0) return 'disconnected'
  if (status.nackError !== undefined) return 'refusing'
  if (lagMs === 0) return 'current'
  return status.ackedVersion < 0 || lagMs >= currentLimitMs ? 'behind' : 'current'
}

function lagMsOf({ status, sinceMs }: KnownNode, { version, times }: ServedVersion, nowMs: number): number {
  const { ackedVersion } = status
  if (ackedVersion >= version) return 0
  const lackedSinceMs = times.firstAfter(ackedVersion) ?? nowMs
  // Who has nothing yet lacks everything only since it is there.
  return nowMs - (ackedVersion < 0 ? Math.max(sinceMs, lackedSinceMs) : lackedSinceMs)
}

const latest = (timesMs: readonly number[]): number | undefined =>
  timesMs.length === 0 ? undefined : Math.max(...timesMs)

const seconds = (ms: number): number => Math.round(ms) / 1000
