/**
 * A publisher on a log in memory, with the follower that it needs.
 *
 * @module
 */

import { afterEach } from 'node:test'
import { beforeFirst } from '../../event-log/event-log.ts'
import { type FollowOptions, followLog, type LogFollower } from '../../event-log/follow.ts'
import { createPublisher, type Publisher } from '../../revoker/publisher.ts'
import type { Logger } from '../../runtime/logger.ts'
import { clockAt } from './clocks.ts'
import { createMemoryLogStore, type MemoryLogStore } from './memory-log.ts'
import { plainCodec } from './revocations.ts'

/** What belongs together. */
export interface PublishedLog {
  readonly store: MemoryLogStore
  readonly follower: LogFollower
  readonly publisher: Publisher
  /** Messages that were logged as errors. */
  readonly errors: readonly string[]
  /** Resolves when the follower has read everything. */
  caughtUp(): Promise<boolean>
  close(): Promise<void>
}

/** A logger that keeps the errors. */
export const createErrorLogger = (): { readonly logger: Logger; readonly errors: readonly string[] } => {
  const errors: string[] = []
  const ignore = () => undefined
  const keep = (_fields: object, message: string) => {
    errors.push(message)
  }
  const logger = {
    level: 'trace',
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: keep,
    fatal: keep,
  }
  return { logger, errors }
}

/** Starts a publisher; the wall clock stands at `nowSeconds` for it. */
export const startPublishedLog = async (
  options: { nowSeconds?: number; revocationsLimit?: number; follow?: Partial<FollowOptions> } = {},
): Promise<PublishedLog> => {
  const { nowSeconds = 1_000, revocationsLimit = 1_000_000 } = options
  const store = createMemoryLogStore()
  const log = store.open()
  const follower = followLog({
    log,
    codec: plainCodec,
    graceSeconds: 0,
    clock: clockAt(() => nowSeconds * 1_000),
    ...options.follow,
  })
  const { logger, errors } = createErrorLogger()
  const publisher = createPublisher({
    log,
    follower,
    codec: plainCodec,
    graceSeconds: 0,
    revocationsLimit,
    logger,
    nowSeconds: () => nowSeconds,
  })
  await follower.caughtUp
  return {
    store,
    follower,
    publisher,
    errors,
    caughtUp: async () => follower.reached((await log.check(beforeFirst)).end),
    close: async () => {
      await follower.close()
      await log.close()
    },
  }
}

/** Starts publishers for the tests of a file, and stops them after each test. */
export const publishedLogsOfTests = (): typeof startPublishedLog => {
  const opened: PublishedLog[] = []
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close()
  })
  return async options => {
    const log = await startPublishedLog(options)
    opened.push(log)
    return log
  }
}
