/**
 * The fleet status as server-sent events for any number of listeners up to a limit: encoded once for all, at most one
 * frame a second, and none for a listener that has not taken the last one. No I/O, no timers.
 *
 * @module
 */
import type { FleetStatus } from './fleet-status.ts'

/** A connection to which frames are written. */
export interface FrameSink {
  /** Returns false if nothing more should be written until {@link FleetEvents.drained} is called. */
  write(text: string): boolean
  /** Ends the connection. */
  end(): void
}

/** Who listens. */
export interface FleetEvents {
  /** Takes a listener and writes the first frame; returns false if there are too many. */
  add(sink: FrameSink): boolean
  /** What was written to a listener has left. */
  drained(sink: FrameSink): void
  remove(sink: FrameSink): void
  /** To be called once a second. */
  tick(): void
}

/** Limits, which tests set smaller. */
export interface FleetEventsOptions {
  readonly listenersLimit?: number
  /** Nodes in a frame; the worst ones. */
  readonly nodesLimit?: number
  /** After so many seconds without taking anything a listener is given up. */
  readonly stuckTicksLimit?: number
}

/** Which frame a listener has, and for how many ticks it has not taken it. */
interface Listener {
  frame: number
  stuckTicks: number | undefined
}

/** When nothing has changed but times, they are sent anew after so many ticks. */
const sameFrameTicks = 5
const heartbeat = ':\n\n'

/** Creates the events; `status` is asked at most once a tick, and not while nobody listens. */
export function createFleetEvents(status: () => FleetStatus, options: FleetEventsOptions = {}): FleetEvents {
  const { listenersLimit = 32, nodesLimit = 1_000, stuckTicksLimit = 30 } = options
  const listeners = new Map<FrameSink, Listener>()
  let current = { text: '', withoutTimes: '', number: 0, ticks: 0 }

  const renew = () => {
    const now = status()
    const shown = { ...now, nodes: now.nodes.slice(0, nodesLimit) }
    const withoutTimes = JSON.stringify(shown, leaveOutTimes)
    current.ticks++
    if (withoutTimes === current.withoutTimes && current.ticks < sameFrameTicks) return
    const text = `data: ${JSON.stringify(shown)}\n\n`
    current = { text, withoutTimes, number: current.number + 1, ticks: 0 }
  }

  const send = (sink: FrameSink, listener: Listener) => {
    const text = listener.frame === current.number ? heartbeat : current.text
    listener.frame = current.number
    listener.stuckTicks = sink.write(text) ? undefined : 0
  }

  const giveUp = (sink: FrameSink) => {
    listeners.delete(sink)
    sink.end()
  }

  return {
    add(sink) {
      if (listeners.size >= listenersLimit) return false
      if (listeners.size === 0) renew()
      const listener: Listener = { frame: 0, stuckTicks: undefined }
      listeners.set(sink, listener)
      send(sink, listener)
      return true
    },
    drained(sink) {
      const listener = listeners.get(sink)
      if (listener !== undefined) listener.stuckTicks = undefined
    },
    remove: sink => listeners.delete(sink),
    tick() {
      if (listeners.size === 0) return
      renew()
      for (const [sink, listener] of listeners) {
        if (listener.stuckTicks === undefined) send(sink, listener)
        else if (++listener.stuckTicks >= stuckTicksLimit) giveUp(sink)
      }
    },
  }
}

const leaveOutTimes = (name: string, value: unknown): unknown => (/seconds/i.test(name) ? undefined : value)
