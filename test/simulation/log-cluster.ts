/**
 * The servers of a log, the connections to them, and their accidents: fail-over that loses the tail, a log that is created
 * anew, servers that are away.
 *
 * @module
 */
import type { History } from './history.ts'
import { createLogServers, type LogKind, type LogServer } from './log-server.ts'
import type { World } from './world.ts'

/** A connection to a server; it ends once and for all. */
export interface LogConnection {
  readonly server: LogServer
  readonly isOpen: boolean
  /** Called when it ends. */
  readonly pending: Set<() => void>
  close(): void
}

/** The servers of a log. */
export interface LogCluster {
  readonly kind: LogKind
  /** Who takes new connections; a demoted one may still serve older connections for a while. */
  readonly leader: LogServer
  /** All that still answer, or would if they were up. */
  readonly servers: readonly LogServer[]
  /** How often something was lost. */
  readonly accidents: number
  /** When something was lost last, true milliseconds; -Infinity before. */
  readonly accidentAtMs: number
  /** A connection to the leader, if it answers. */
  connect(): LogConnection | undefined
  /** Tells a listener of every change until it says stop. */
  onChange(listener: () => void): () => void
  /** No server answers, or one does again. */
  setUp(isUp: boolean): void
  /** All connections end. */
  dropConnections(): void
  /**
   * Another server takes over, without the last entries; the former one goes on for so long with those that are
   * connected to it.
   */
  failOver(lostEntries: number, lingerMs: number): void
  /** What is there is gone, and the log begins anew. */
  recreate(): void
}

/** Creates a log with one server and no entries. */
export function createLogCluster(world: World, history: History, kind: LogKind): LogCluster {
  const { scheduler, dice, trace } = world
  const connections = new Set<LogConnection>()
  const listeners = new Set<() => void>()
  let accidents = 0
  let accidentAtMs = Number.NEGATIVE_INFINITY
  let leader = createLogServers({
    kind,
    history,
    nowMs: () => scheduler.nowMs,
    addsControlRecord: () => dice.chance(0.15),
    onAppended: () => changed(),
  })
  let servers = [leader]

  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const noteAccident = () => {
    accidents += 1
    accidentAtMs = scheduler.nowMs
  }
  const drop = (server: LogServer) => {
    for (const connection of [...connections]) if (connection.server === server) connection.close()
  }
  const retire = (server: LogServer) => {
    if (!servers.includes(server)) return
    servers = servers.filter(other => other !== server)
    server.retire()
    // What it took since is lost with it.
    if (server !== leader) noteAccident()
    drop(server)
    trace.add('log', 'the former leader no longer answers')
  }

  return {
    kind,
    get leader() {
      return leader
    },
    get servers() {
      return servers
    },
    get accidents() {
      return accidents
    },
    get accidentAtMs() {
      return accidentAtMs
    },
    connect: () => {
      if (!leader.isUp) return undefined
      const server = leader
      let isOpen = true
      const connection: LogConnection = {
        server,
        get isOpen() {
          return isOpen
        },
        pending: new Set(),
        close: () => {
          isOpen = false
          connections.delete(connection)
          for (const lost of [...connection.pending]) lost()
        },
      }
      connections.add(connection)
      return connection
    },
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    setUp: isUp => {
      trace.add('log', isUp ? 'answers again' : 'does not answer')
      leader.isUp = isUp
      if (!isUp) drop(leader)
    },
    dropConnections: () => {
      for (const connection of [...connections]) connection.close()
    },
    failOver: (lostEntries, lingerMs) => {
      const former = leader
      leader = former.copy()
      leader.isUp = true
      leader.leaderEpoch += 1
      leader.loseTail(lostEntries)
      if (kind === 'redis' && leader.entries.length === 0) leader.wipe()
      servers = [...servers, leader]
      trace.add('log', `fail-over: ${lostEntries} entries are lost; it ends at ${leader.end?.position ?? -1}`)
      // What the former leader takes from now on is lost too.
      if (lostEntries > 0 || lingerMs > 0) noteAccident()
      if (lingerMs === 0) retire(former)
      else scheduler.after(lingerMs, () => retire(former))
      changed()
    },
    recreate: () => {
      trace.add('log', 'is created anew')
      noteAccident()
      leader.wipe()
      if (kind === 'kafka') drop(leader)
      changed()
    },
  }
}
