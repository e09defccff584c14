/**
 * Trimming a log in memory, at a time that does not pass.
 *
 * @module
 */
import type { TestContext } from 'node:test'
import { type FollowOptions, followLog, type LogFollower } from '../../event-log/follow.ts'
import { LiveState } from '../../revocation/live-state.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { trimIfLong } from '../../revoker/log-trimming.ts'
import { clockAt } from './clocks.ts'
import type { MemoryLogStore } from './memory-log.ts'
import { createErrorLogger } from './published-log.ts'
import { block, bytesOf, plainCodec } from './revocations.ts'

/** Seconds. */
export const nowSeconds = Math.floor(Date.now() / 1000)

/** The time does not pass here: what is live stays so however long a test takes. */
export const unmoved = { codec: plainCodec, graceSeconds: 0, clock: clockAt(() => nowSeconds * 1_000) }

/** A revoker that has read a log and forgotten what expired. */
export interface Trimming {
  readonly follower: LogFollower
  trim(): Promise<void>
}

/** Reads the log until the test is over; `options` say what is different. */
export const startTrimming = async (
  test: Pick<TestContext, 'after'>,
  store: MemoryLogStore,
  options: Partial<FollowOptions> = {},
): Promise<Trimming> => {
  const followed = { log: store.open(), ...unmoved, ...options }
  const follower = followLog(followed)
  test.after(() => follower.close())
  await follower.caughtUp
  while (!follower.state.pruneStep(nowSeconds, 10_000));
  const { logger } = createErrorLogger()
  return {
    follower,
    trim: () => trimIfLong({ ...followed, follower, logger }, new AbortController().signal),
  }
}

/** Appends events, a thousand at a time. */
export const appendMany = async (store: MemoryLogStore, events: readonly LogEvent[]): Promise<void> => {
  for (let first = 0; first < events.length; first += 1_000)
    await store.open().appendAll(events.slice(first, first + 1_000).map(bytesOf))
}

/** What a state is that begins with the log as it is. */
export const stateOf = (store: MemoryLogStore): LiveState => {
  const state = new LiveState()
  for (const { position, digest, event } of store.entries)
    state.apply(position, digest, plainCodec.decode(event))
  return state
}

/** So many revocations that have expired. */
export const expired = (count: number): readonly LogEvent[] =>
  Array.from({ length: count }, (_, index) => block({ jti: `old${index}` }, nowSeconds - 10))
