/**
 * Opens the configured event log and follows it.
 *
 * @module
 */
import { isAbsolute, relative, resolve } from 'node:path'
import type { Checkpoint } from '../event-log/checkpoint.ts'
import { contentFacts, createDeadLetters, type DeadLetters } from '../event-log/dead-letters.ts'
import type { EventLog, LogEntry } from '../event-log/event-log.ts'
import { followLog, type LogFollower } from '../event-log/follow.ts'
import type { Applied } from '../revocation/apply-entry.ts'
import { RescindError } from '../revocation/error.ts'
import { createEventCodec, type EventCodec } from '../revocation/formats/rescind.ts'
import type { Config } from '../runtime/config/schema.ts'
import type { Logger } from '../runtime/logger.ts'
import { notTooOften } from '../runtime/not-too-often.ts'
import { embeddedLogOf, graceSecondsOf, kafkaLogOf, redisLogOf } from './settings.ts'

/** The log of a process, and what belongs to it. */
export interface OpenedLog {
  readonly log: EventLog
  readonly codec: EventCodec
  readonly follower: LogFollower
  readonly deadLetters: DeadLetters
  /** What is kept in `adapter.dataFolder`. */
  readonly checkpoint: Checkpoint | undefined
  close(): Promise<void>
}

/** What the process does with the log. */
export interface LogUse {
  /** It appends, as a revoker does. */
  readonly writes: boolean
  /** It keeps what it knows in `adapter.dataFolder`, as an adapter does. */
  readonly keeps: boolean
  /** Told of each entry that was read after the log's end was reached once, in a process that serves what it reads. */
  readonly onRead?: (entry: LogEntry, applied: Applied) => void
  readonly logger: Logger
}

const deadLettersLimit = 1_000
const progressMs = 1_000
const sameLineMs = 1_000
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
  const reject = createRejection(deadLetters, logger)
  const checkpoint = use.keeps ? await checkpointOf(config, codec, logger) : undefined
  const log = await openDriver(config, codec, reject, use).catch(async error => {
    await checkpoint?.close()
    throw error
  })
  const follower = follow(log, codec, { config, checkpoint, reject, use })
  return {
    log,
    codec,
    follower,
    deadLetters,
    checkpoint,
    close: async () => {
      await follower.close()
      await checkpoint?.close()
      await log.close()
    },
  }
}

/** Takes note of an entry that cannot be used; `content` is absent where it is not an event's. */
type Rejection = (position: string, problem: string, content?: Uint8Array) => void

function createRejection(deadLetters: DeadLetters, logger: Logger): Rejection {
  const tell = notTooOften(sameLineMs, (heldBack, position: string, problem: string) =>
    logger.error({ position, problem, notLogged: heldBack }, 'an entry of the log cannot be used; skipped'),
  )
  return (position, problem, content) => {
    const facts = content === undefined ? {} : contentFacts(content)
    deadLetters.add({ source: 'log', position, at: Math.floor(Date.now() / 1000), problem, ...facts })
    tell(position, problem)
  }
}

async function openDriver(
  config: Config,
  codec: EventCodec,
  reject: Rejection,
  { writes, logger }: LogUse,
): Promise<EventLog> {
  if (config.eventLog.driver === 'redis') {
    const { openRedisLog } = await import('../event-log/redis/redis-log.ts')
    return openRedisLog({ ...redisLogOf(config), logger, onForeign: reject })
  }
  if (config.eventLog.driver === 'kafka') {
    const { openKafkaLog } = await import('../event-log/kafka/kafka-log.ts')
    return openKafkaLog({ ...kafkaLogOf(config), writes, codec, logger })
  }
  const { openEmbeddedLog } = await import('../event-log/embedded/embedded-log.ts')
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
  const { openCheckpoint } = await import('../event-log/checkpoint.ts')
  return openCheckpoint({
    folder,
    codec,
    onError: error => logger.error({ err: error, folder }, 'the checkpoint cannot be written; trying again'),
    onDamaged: (problem, aside) =>
      logger.error(
        { problem, aside, code: 'ERR_CHECKPOINT_INVALID' },
        'THE CHECKPOINT IS DAMAGED and was put aside: reading the event log from its start; what only the checkpoint knew is lost',
      ),
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
  readonly reject: Rejection
  readonly use: LogUse
}

function follow(log: EventLog, codec: EventCodec, following: Following): LogFollower {
  const { config, checkpoint, reject } = following
  const { logger, onRead } = following.use
  let reportedAtMs = performance.now()
  const onApplied = (entry: LogEntry, applied: Applied) => {
    checkpoint?.noteApplied(entry, applied)
    if (applied.problem !== undefined) reject(String(entry.position), applied.problem, entry.event)
    else if (follower.complete) onRead?.(entry, applied)
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
    onError: firstOfEachKind(error =>
      logger.error({ err: error }, 'the event log cannot be read; trying again'),
    ),
    onFatal: error => {
      logger.fatal({ err: error }, 'following the event log has failed')
      process.exit(1)
    },
  })
  return follower
}

/** Passes on the first of each kind of error in ten seconds. */
function firstOfEachKind(report: (error: unknown) => void): (error: unknown) => void {
  const reports = new Map<string, (error: unknown) => void>()
  return error => {
    const kind = error instanceof RescindError ? error.code : 'other'
    const tell = reports.get(kind) ?? notTooOften(sameErrorMs, (_, latest: unknown) => report(latest))
    reports.set(kind, tell)
    tell(error)
  }
}

const group = (count: number): string => count.toLocaleString('en-US')
