/**
 * Logs in Redis for tests, and what they told.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { chainedDigest } from '../../event-log/digest.ts'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { openRedisLog, type RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { LogUnderTest } from '../conformance/event-log-suite.ts'
import { startRedis } from './redis.ts'

/** A log, and what it said so far. */
export interface RedisLogUnderTest {
  readonly log: EventLog
  /** Messages by level: `warn: ...`. */
  readonly lines: readonly string[]
  /** Everything that was logged, fields too, as JSON. */
  logged(): string
  /** What was told of foreign entries: `id: problem`. */
  readonly foreign: readonly string[]
}

/** Opens a log with settings that suit tests. */
export async function openLog(
  options: Pick<RedisLogOptions, 'url'> & Partial<RedisLogOptions>,
): Promise<RedisLogUnderTest> {
  const { logger, lines, logged } = createRecordingLogger()
  const foreign: string[] = []
  const log = await openRedisLog({
    prefix: 'rescind',
    appendTimeoutMs: 10_000,
    waitReplicas: 0,
    logger,
    onForeign: (where, problem) => foreign.push(`${where}: ${problem}`),
    ...options,
  })
  return { log, lines, logged, foreign }
}

/** For the conformance suite: each log has a server of its own. */
export async function createRedisLogUnderTest(): Promise<LogUnderTest> {
  const redis = await startRedis()
  let log: EventLog | undefined
  const reopen = async () => {
    await log?.close()
    log = (await openLog({ url: redis.url })).log
    return log
  }
  return {
    open: reopen,
    reopen,
    destroy: async () => {
      await log?.close()
      await redis.stop()
    },
  }
}

/** Asserts that each digest follows from the one before it, from the first entry of the log on. */
export function assertChained(entries: readonly LogEntry[]): void {
  let { digest } = beforeFirst
  for (const entry of entries) {
    digest = chainedDigest(digest, entry.event)
    assert.equal(entry.digest, digest, `at ${entry.position}`)
  }
}

function createRecordingLogger() {
  const lines: string[] = []
  const records: object[] = []
  const at = (level: string) => (fields: object, message: string) => {
    lines.push(`${level}: ${message}`)
    records.push({ ...fields, message, error: 'err' in fields ? String(fields.err) : undefined })
  }
  const logger: Logger = {
    level: 'trace',
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  }
  return { logger, lines, logged: () => records.map(record => JSON.stringify(record)).join('\n') }
}
