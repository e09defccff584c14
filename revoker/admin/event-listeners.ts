/**
 * What is appended to the log as server-sent events, for a limited number of listeners: encoded once for all. Who does not
 * keep up is cut off, for an event that is left out in silence would be worse. No I/O, no timers.
 *
 * @module
 */
import type { LogEntry } from '../../event-log/event-log.ts'
import type { Applied } from '../../revocation/apply-entry.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { nameAt, revocationName } from '../../revocation/revocation-name.ts'

/** A connection to which events are written. */
export interface EventSink {
  write(text: string): void
  /** Bytes that were written and have not left. */
  readonly pendingBytes: number
  /** Ends the connection. */
  end(): void
}

/** Who listens. */
export interface EventListeners {
  /** Returns false if there are too many. */
  add(sink: EventSink): boolean
  remove(sink: EventSink): void
  /** An entry of the log took effect. */
  applied(entry: LogEntry, applied: Applied): void
  /** To be called now and then: shows listeners that they are still connected. */
  beat(): void
  /** Ends all. */
  close(): void
}

/** Limits, which tests set smaller. */
export interface EventListenersOptions {
  readonly listenersLimit?: number
  /** A listener that lags by more is cut off. */
  readonly pendingBytesLimit?: number
}

/** Creates listeners; there are none yet. */
export function createEventListeners(options: EventListenersOptions = {}): EventListeners {
  const { listenersLimit = 32, pendingBytesLimit = 2 ** 20 } = options
  const sinks = new Set<EventSink>()
  const end = (sink: EventSink) => {
    sinks.delete(sink)
    sink.end()
  }
  const send = (text: string) => {
    for (const sink of sinks) {
      if (sink.pendingBytes > pendingBytesLimit) end(sink)
      else sink.write(text)
    }
  }
  return {
    add(sink) {
      if (sinks.size >= listenersLimit) return false
      sinks.add(sink)
      sink.write(heartbeat)
      return true
    },
    remove: sink => sinks.delete(sink),
    applied({ position }, { event }) {
      if (sinks.size === 0 || event === undefined) return
      const shown = shownEvent(event)
      if (shown === undefined) return
      const data = JSON.stringify({ version: position, kind: event.kind, ...shown })
      send(`id: ${position}\nevent: ${event.kind}\ndata: ${data}\n\n`)
    },
    beat: () => send(heartbeat),
    close: () => {
      for (const sink of sinks) end(sink)
    },
  }
}

const heartbeat = ':\n\n'

/** What people want to see; beats and lifetimes are not. */
function shownEvent(event: LogEvent): object | undefined {
  switch (event.kind) {
    case 'revocation': {
      const { kind: _, ...shown } = event
      return { ...shown, id: revocationName(event) }
    }
    case 'restoration': {
      const { target, key, expiresAt, restoredAt, reason, actor } = event
      return { id: nameAt({ id: target, key }), expiresAt, restoredAt, reason, actor }
    }
    case 'claim-set':
      return { names: event.names, cut: event.cut }
    default:
      return undefined
  }
}
