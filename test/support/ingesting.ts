/**
 * What importers work on, with a log in memory that can refuse appends.
 *
 * @module
 */

import { Registry } from 'prom-client'
import { createDeadLetters, type DeadLetters } from '../../event-log/dead-letters.ts'
import { followLog } from '../../event-log/follow.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import type { Match } from '../../revocation/key.ts'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import type { IngestOptions } from '../../revoker/ingest.ts'
import { createPublisher } from '../../revoker/publisher.ts'
import type { Logger, LogMessage } from '../../runtime/logger.ts'
import { clockAt } from './clocks.ts'
import { createMemoryLogStore, type MemoryLogStore } from './memory-log.ts'

/** The options of importers, and what becomes of what they import. */
export interface Ingesting {
  readonly options: IngestOptions
  readonly store: MemoryLogStore
  readonly deadLetters: DeadLetters
  /** All that the log holds. */
  revocations(): readonly Revocation[]
  /** What is revoked, in the order of the log. */
  matches(): readonly Match[]
  /** How many events of a source had an outcome. */
  count(source: string, outcome: string): Promise<number>
  /** Messages that were logged as warnings or errors. */
  readonly warnings: readonly string[]
  /** The errors that were logged with them. */
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

/** The lifetime of the longest token, seconds. */
export const longestTokenSeconds = 86_400

const codec = createEventCodec()

/** Starts with an empty log. */
export const startIngesting = async (nowSeconds = () => Date.now() / 1_000): Promise<Ingesting> => {
  const store = createMemoryLogStore()
  const log = store.open()
  const { logger, warnings, errors } = createWarningLogger()
  const deadLetters = createDeadLetters(100)
  const registry = new Registry()
  const follower = followLog({ log, codec, graceSeconds: 0, clock: clockAt(() => nowSeconds() * 1_000) })
  await follower.caughtUp
  const { publish } = createPublisher({
    log,
    follower,
    codec,
    graceSeconds: 0,
    revocationsLimit: 1_000_000,
    logger,
    nowSeconds,
  })
  const events = () => store.entries.map(({ event }): LogEvent => codec.decode(event))
  const revocations = () => events().filter(event => event.kind === 'revocation')
  return {
    options: {
      publish: async revocation => {
        const published = await publish(revocation)
        // What is stored is known at once: repeats are then found whatever the speed of the follower.
        await follower.reached(published.position)
        return published
      },
      deadLetters,
      registry,
      logger,
      nowSeconds,
      graceSeconds: 0,
      longestTokenSeconds: () => longestTokenSeconds,
    },
    store,
    deadLetters,
    revocations,
    matches: () => revocations().map(({ match }) => match),
    count: async (source, outcome) => {
      const metric = registry.getSingleMetric('rescind_revoker_events_total')
      const values = (await metric?.get())?.values ?? []
      return values.find(({ labels }) => labels.source === source && labels.outcome === outcome)?.value ?? 0
    },
    warnings,
    errors,
    close: async () => {
      await follower.close()
      await log.close()
    },
  }
}

const createWarningLogger = () => {
  const warnings: string[] = []
  const errors: unknown[] = []
  const ignore = () => undefined
  const keep: LogMessage = (fields, message) => {
    warnings.push(message)
    if ('err' in fields) errors.push(fields.err)
  }
  const logger: Logger = {
    level: 'trace',
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: keep,
    error: keep,
    fatal: keep,
  }
  return { logger, warnings, errors }
}
