/**
 * Breaks of what is shown of enforcers, and of its limits.
 *
 * @module
 */
import type { Break } from './break.ts'

/** Invariants 8 to 10, in their order. */
export const fleetBreaks: readonly Break[] = [
  {
    invariant: 8,
    what: 'enforcers that have disconnected are remembered without a limit',
    file: 'adapter/fleet.ts',
    find: 'if (!isOver && connected.size + gone.size <= nodesLimit) return',
    replace: 'if (!isOver && nodesLimit > 0) return',
    testFile: 'unit/fleet.test.ts',
    testName:
      'forgets first who disconnected first, never who is connected, and says for a while that it did',
  },
  {
    invariant: 8,
    what: 'frames are written to a listener that takes none',
    file: 'adapter/fleet-events.ts',
    find: 'if (listener.stuckTicks === undefined) send(sink, listener)',
    replace: 'if (listener.stuckTicks === undefined || listener.stuckTicks === 0) send(sink, listener)',
    testFile: 'unit/fleet-events.test.ts',
    testName: 'that is slow is sent nothing until it has taken what it has, and then the newest',
  },
  {
    invariant: 8,
    what: 'metrics of enforcers that are forgotten stay',
    file: 'adapter/fleet-metrics.ts',
    find: 'this.reset()',
    replace: '',
    testFile: 'unit/fleet-metrics.test.ts',
    testName: 'each enforcer has its version and lag until it is forgotten',
  },
  {
    invariant: 9,
    what: 'the lag of an enforcer counts from the last version instead of the first that it lacks',
    file: 'adapter/version-times.ts',
    find: 'if (span.to <= version) break\n        first = span',
    replace: 'if (span.to <= version) break\n        first ??= span',
    testFile: 'unit/fleet.test.ts',
    testName: 'counts from when the first version that it lacks was there, whatever came after',
  },
  {
    invariant: 10,
    what: 'an enforcer that disconnected counts as having what it acknowledged of a log that is gone',
    file: 'adapter/fleet.ts',
    find: 'for (const [key, known] of gone) gone.set(key, withoutVersion(known))',
    replace: 'for (const [key, known] of gone) gone.set(key, { ...withoutVersion(known), ...known })',
    testFile: 'unit/fleet.test.ts',
    testName: 'of a log that was rolled back has nothing of the new one, whether it is connected or not',
  },
  {
    invariant: 10,
    what: 'an enforcer that is connected counts as having what it acknowledged of a log that is gone',
    file: 'adapter/stream-session.ts',
    find: 'ackedVersion: isOfThisState ? this.#ackedVersion : -1,',
    replace: 'ackedVersion: isOfThisState ? this.#ackedVersion : Math.max(-1, this.#ackedVersion),',
    testFile: 'unit/discovery-status.test.ts',
    testName:
      'the fleet sees no version from the moment at which the log began anew, until the enforcer has the new state',
  },
]
