/**
 * Logs in Redis for tests, and what they told.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { chainedDigest } from '../../event-log/digest.ts'
import { beforeFirst, type EventLog, type LogEntry } from '../../event-log/event-log.ts'
import { openRedisLog, type RedisLogOptions } from '../../event-log/redis/redis-log.ts'
import type { Logger } from '../../runtime/logger.ts'
import { createLogUnderTest, type LogUnderTest } from '../conformance/log-under-test.ts'
import { type RunningRedis, startRedis } from './redis.ts'

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
  return createLogUnderTest(async () => (await openLog({ url: redis.url })).log, redis.stop)
}

/** The logs of a test file, in one Redis that is emptied after each test; to be called in a `describe`. */
export function useRedisLogs() {
  let redis: RunningRedis
  const opened: RedisLogUnderTest[] = []
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.stop())
  afterEach(async () => {
    for (const { log } of opened.splice(0)) await log.close()
    await redis.cli('flushall')
  })
  return {
    /** The server; not before the first test. */
    redis: () => redis,
    /** Opens a log there, unless the options name another place; it is closed after the test. */
    open: async (options: Partial<RedisLogOptions> = {}): Promise<RedisLogUnderTest> => {
      const under = await openLog({ url: redis.url, ...options })
      opened.push(under)
      return under
    },
    /** Entries in the stream of the log. */
    lengthOf: async () => Number(await redis.cli('xlen', '{rescind}:log')),
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
