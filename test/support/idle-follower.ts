/**
 * A follower of a log in which nothing happens, for tests of an adapter alone.
 *
 * @module
 */
import type { LogFollower } from '../../event-log/follow.ts'
import { LiveState } from '../../revocation/live-state.ts'

/** A follower that is complete when the test says so. */
export const createIdleFollower = (): LogFollower & { complete: boolean } => ({
  state: new LiveState(),
  caughtUp: Promise.resolve(),
  complete: false,
  foundNew: false,
  restarts: 0,
  rollbacks: 0,
  confirmedAtMs: 0,
  confirmedWallMs: 0,
  subscribe: () => () => undefined,
  onApplied: () => () => undefined,
  reached: async () => true,
  close: async () => undefined,
})
