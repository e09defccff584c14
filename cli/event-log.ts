/**
 * Opens the configured event log and follows it.
 *
 * @module
 */
import { isAbsolute, relative, resolve } from 'node:path'
import { logApplied } from '../adapter/adapter.ts'
import { type Checkpoint, openCheckpoint } from '../event-log/checkpoint.ts'
import { openEmbeddedLog } from '../event-log/embedded/embedded-log.ts'
import type { EventLog, LogEntry } from '../event-log/event-log.ts'
import { followLog, type LogFollower } from '../event-log/follow.ts'
import { openKafkaLog } from '../event-log/kafka/kafka-log.ts'
import { openRedisLog } from '../event-log/redis/redis-log.ts'
import type { Applied } from '../revocation/apply-entry.ts'
import { RescindError } from '../revocation/error.ts'
import { createEventCodec, type EventCodec } from '../revocation/formats/rescind.ts'
import { contentFacts, createDeadLetters, type DeadLetters } from '../revoker/dead-letters.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { embeddedLogOf, graceSecondsOf, kafkaLogOf, redisLogOf } from './settings.ts'

/** The log of a process, and what belongs to it. */
export interface OpenedLog {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly follower: LogFollower
  readonly deadLetters: DeadLetters
  close(): Promise<void>
}

/** What the process does with the log. */
export interface LogUse {
  /** It appends, as a revoker does. */
  readonly writes: boolean
  /** It keeps what it knows in `adapter.dataFolder`, as an adapter does. */
  readonly keeps: boolean
  readonly logger: Logger
}

const deadLettersLimit = 1_000
const progressMs = 1_000
const sameErrorMs = 10_000

/**
 * Opens the log and begins to follow it.
 *
 * @throws RescindError for what a person can put right: folders, settings of the log's server.
 */
export async function openLog(config: Config, use: LogUse): Promise<OpenedLog> {
  const { logger } = use
  const codec = createEventCodec(config.eventLog.key)
  const deadLetters = createDeadLetters(deadLettersLimit)
  const checkpoint = use.keeps ? await checkpointOf(config, codec, logger) : undefined
  const log = await openDriver(config, codec, deadLetters, use).catch(async error => {
    await checkpoint?.close()
    throw error
  })
  const follower = follow(log, codec, { config, checkpoint, deadLetters, logger })
  return {
    log,
    codec,
    follower,
    deadLetters,
    close: async () => {
      await follower.close()
      await checkpoint?.close()
      await log.close()
    },
  }
}

function openDriver(
  config: Config,
  codec: EventCodec,
  deadLetters: DeadLetters,
  { writes, logger }: LogUse,
): Promise<EventLog> {
  const onForeign = (position: string, problem: string) =>
    deadLetters.add({ source: 'log', position, at: nowSeconds(), problem, ...contentFacts(Buffer.alloc(0)) })
  if (config.eventLog.driver === 'redis') return openRedisLog({ ...redisLogOf(config), logger, onForeign })
  if (config.eventLog.driver === 'kafka')
    return openKafkaLog({ ...kafkaLogOf(config), writes, codec, logger })
  return openEmbeddedLog(embeddedLogOf(config))
}

async function checkpointOf(
  config: Config,
  codec: EventCodec,
  logger: Logger,
): Promise<Checkpoint | undefined> {
  const folder = config.adapter.dataFolder
  if (folder === undefined) {
    logger.info(
      {},
      'adapter.dataFolder is not set: if the event log loses revocations, they stay enforced only while an adapter or enforcer that knows them runs',
    )
    return undefined
  }
  refuseInside(folder, config.eventLog.folder)
  return openCheckpoint({
    folder,
    codec,
    onError: error => logger.error({ err: error, folder }, 'the checkpoint cannot be written; trying again'),
  })
}

/** A copy of the log's folder, put back, must not put an old checkpoint back with it. */
function refuseInside(folder: string, logFolder: string): void {
  const path = relative(resolve(logFolder), resolve(folder))
  if (path.startsWith('..') || isAbsolute(path)) return
  throw new RescindError(
    'ERR_CONFIG_INVALID',
    `adapter.dataFolder: ${folder} lies inside eventLog.folder; name a folder of its own`,
  )
}

interface Following {
  readonly config: Config
  readonly checkpoint: Checkpoint | undefined
  readonly deadLetters: DeadLetters
  readonly logger: Logger
}

function follow(log: EventLog, codec: EventCodec, following: Following): LogFollower {
  const { config, checkpoint, deadLetters, logger } = following
  let reportedAtMs = performance.now()
  const onApplied = (entry: LogEntry, applied: Applied) => {
    checkpoint?.noteApplied(entry, applied)
    if (follower.complete || applied.problem !== undefined) logApplied(logger, entry, applied)
    if (applied.problem === undefined) return
    const position = String(entry.position)
    const facts = contentFacts(entry.event)
    deadLetters.add({ source: 'log', position, at: nowSeconds(), problem: applied.problem, ...facts })
  }
  const onProgress = (position: number, end: number) => {
    const isLast = position >= end
    if (follower.complete || (!isLast && performance.now() - reportedAtMs < progressMs)) return
    reportedAtMs = performance.now()
    logger.info({ position, end }, `caught up ${group(position)} of ${group(end)}`)
  }
  const follower: LogFollower = followLog({
    log,
    codec,
    graceSeconds: graceSecondsOf(config),
    ...(checkpoint === undefined ? {} : { state: checkpoint.state, beforeComplete: checkpoint.flush }),
    onApplied,
    onProgress,
    onRestart: (reason, check) => {
      if (reason === 'trimmed') {
        logger.warn({ ...check }, 'the event log was trimmed past what was read; reading it from its start')
      } else {
        logger.error(
          { ...check },
          'THE EVENT LOG HAS LOST ENTRIES, OR IS ANOTHER ONE: reading it from its start; what was enforced stays enforced until it expires',
        )
      }
    },
    onError: notTooOften(error => logger.error({ err: error }, 'the event log cannot be read; trying again')),
    onFatal: error => {
      logger.fatal({ err: error }, 'following the event log has failed')
      process.exit(1)
    },
  })
  return follower
}

/** Passes on the first of each kind of error in ten seconds. */
function notTooOften(report: (error: unknown) => void): (error: unknown) => void {
  const reportedAtMs = new Map<string, number>()
  return error => {
    const kind = error instanceof RescindError ? error.code : 'other'
    if (performance.now() - (reportedAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < sameErrorMs) return
    reportedAtMs.set(kind, performance.now())
    report(error)
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

const group = (count: number): string => count.toLocaleString('en-US')
