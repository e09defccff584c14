/**
 * A follower whose adapter can be told to begin anew with every enforcer, as it does when its log was read again from the
 * start, but without that reading: what then arrives at an enforcer is the same.
 *
 * @module
 */
import type { LogFollower } from '../../event-log/follow.ts'

/** A follower and how to make its adapter begin anew. */
export interface Resyncing {
  readonly follower: LogFollower
  /** Every enforcer gets the full state; `rolledBack` as after an accident of the log. */
  resync(rolledBack: boolean): void
}

/** Puts it before a follower. */
export const createResyncing = (inner: LogFollower): Resyncing => {
  const listeners = new Set<() => void>()
  let resyncs = 0
  let rollbacks = 0
  const follower: LogFollower = Object.create(inner, {
    restarts: { get: () => inner.restarts + resyncs },
    rollbacks: { get: () => inner.rollbacks + rollbacks },
    subscribe: {
      value: (listener: () => void) => {
        listeners.add(listener)
        const stop = inner.subscribe(listener)
        return () => {
          listeners.delete(listener)
          stop()
        }
      },
    },
  })
  return {
    follower,
    resync: rolledBack => {
      resyncs += 1
      if (rolledBack) rollbacks += 1
      for (const listener of listeners) listener()
    },
  }
}
