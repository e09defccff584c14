/**
 * The event log on Kafka: a topic with one partition. Positions are offsets; what was acknowledged, all in-sync replicas
 * have. Entries are forgotten by the topic's retention alone.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import type { Confirmation } from '../../revocation/digest-history.ts'
import { RescindError } from '../../revocation/error.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import { systemClock } from '../../runtime/clock.ts'
import { type AppendGroup, createAppendQueue } from '../append-queue.ts'
import { beforeFirst, checkAppendSize, type EventLog, type LogEntry, type LogPosition } from '../event-log.ts'
import { closeClient, createKafkaClient, type KafkaConnectionOptions } from './client.ts'
import { rolledBack } from './continuity.ts'
import { createEpochKeeper, type EpochSearch, searchEpoch } from './epoch.ts'
import { unreachable } from './failure.ts'
import { createFounder } from './founder.ts'
import { createPartitionReader, type PartitionReader } from './partition-reader.ts'
import { createRecordProbe } from './record-probe.ts'
import {
  type CreateTopicOptions,
  describeTopic,
  prepareTopic,
  readWatermarks,
  type TopicOptions,
  type Watermarks,
} from './topic.ts'
import { createWriter } from './writer.ts'

/** Where the log is, and what this process does with it. */
export interface KafkaLogOptions extends KafkaConnectionOptions {
  readonly topic: string
  /** How to create a missing topic; undefined: it is not created. */
  readonly createTopic: CreateTopicOptions | undefined
  /** How long the topic must keep an entry at least. */
  readonly requiredRetentionSeconds: number
  /** This process appends: it founds or adopts the epoch, and beats. */
  readonly writes: boolean
  readonly appendTimeoutMs: number
  /** Writes and reads beats. */
  readonly codec: EventCodec
  /** Between two beats; default 3 minutes. */
  readonly beatMs?: number
  /** Between two looks at the topic's settings; default 1 hour. */
  readonly settingsCheckMs?: number
  /** Gives up waiting for brokers at the start. */
  readonly signal?: AbortSignal
}

const defaultBeatMs = 3 * 60_000
const defaultSettingsCheckMs = 60 * 60_000
const adminRetry = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 }
const startRetryMs = 1_000
/** One attempt in so many is logged while no broker answers. */
const startAttemptsPerLog = 10
const closeWaitMs = 1_000

/**
 * Opens the log. While no broker answers it says so and goes on trying.
 *
 * @throws RescindError ERR_LOG_SETUP if somebody must change the topic, the cluster or the settings;
 *   ERR_LOG_UNREACHABLE if `signal` aborts before a broker has answered.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { topic, codec, logger } = options
  const adminClient = createKafkaClient(options, { retry: adminRetry })
  const admin = adminClient.kafka.admin()
  let { keptSeconds } = await prepare(admin, options).catch(async error => {
    await closeClient(adminClient, admin.disconnect)
    throw error
  })

  const closed = new AbortController()
  const probe = createRecordProbe(options, topic)
  const readers = new Set<PartitionReader>()
  const marksNow = () => readWatermarks(admin, topic)
  const readFrom = (after: LogPosition, signal: AbortSignal) =>
    createPartitionReader({ connection: options, topic, after, signal })

  const compare = async ({ low, high }: Watermarks, known: LogPosition): Promise<Confirmation> => {
    if (known.position === beforeFirst.position) return 'confirmed'
    if (known.position >= high) return 'ahead'
    if (known.position < low) return 'trimmed'
    const entry = await probe.entryAt(known.position)
    return entry?.digest === known.digest ? 'confirmed' : 'different'
  }

  const search: EpochSearch = {
    open: signal => readFrom(beforeFirst, signal),
    codec,
    closed: closed.signal,
    clock: systemClock,
  }
  const epochs = createEpochKeeper({
    compare,
    find: async ({ low, high }) => (low >= high ? undefined : searchEpoch(search, high - 1)),
  })

  const writer = createWriter({ connection: options, topic, timeoutMs: options.appendTimeoutMs })
  const founder = options.writes
    ? createFounder({
        writer,
        codec,
        logger,
        readEpoch: async () => epochs.read(await marksNow()),
        beatMs: options.beatMs ?? defaultBeatMs,
      })
    : undefined

  const write = async (groups: readonly AppendGroup[]) => {
    await founder?.adopted().catch(error => {
      throw notAdopted(topic, error)
    })
    let next = await writer.write(groups.flatMap(({ events }) => events))
    return groups.map(({ events }) => events.map(() => next++))
  }
  const queue = createAppendQueue(write, options.appendTimeoutMs)

  const appendAll = async (events: readonly Uint8Array[]) => {
    checkAppendSize(events)
    if (closed.signal.aborted) throw closedError()
    return events.length === 0 ? [] : queue.append(events)
  }

  const read = async function* (
    after: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogEntry[]> {
    const stop = AbortSignal.any([signal, closed.signal])
    if (stop.aborted) return
    const reader = readFrom(after, stop)
    readers.add(reader)
    try {
      // A fetch from the log's very end would wait for an entry instead of telling that this one is not there.
      if (isOutside(after, await marksNow())) throw rolledBack(after)
      for await (const page of reader.pages()) if (page.length > 0) yield page
    } catch (error) {
      if (!stop.aborted) throw unreachable(topic, error)
    } finally {
      readers.delete(reader)
    }
  }

  /** Behind the last entry there may be control records, at whose positions no reader ever arrives. */
  const endOf = ({ low, high }: Watermarks): number => {
    if (low >= high) return beforeFirst.position
    const atEnd = [...readers].find(({ passed, last }) => passed === high - 1 && last.position < high)
    return atEnd?.last.position ?? high - 1
  }

  const check = async (known: LogPosition) => {
    const marks = await marksNow()
    const epoch = await epochs.read(marks)
    const confirmation = await compare(marks, known)
    if (confirmation === 'confirmed' && known.position !== beforeFirst.position) epochs.confirmed(known)
    founder?.seen(epoch)
    return { epoch, start: marks.low, end: endOf(marks), known: confirmation }
  }

  /**
   * Readers are given only what is below the high watermark, which all in-sync replicas have: no more is asked of an append.
   * So what was read is durable, unless the log was cut back since; then another record may be at its position already.
   */
  const confirm = async (known: LogPosition) => {
    if ((await compare(await marksNow(), known)) !== 'confirmed') throw rolledBack(known)
  }

  const checkSettings = async () => {
    const state = await describeTopic(admin, options, logger)
    keptSeconds = state.keptSeconds
    if (state.problem !== undefined) logger.error({ topic }, `eventLog.kafka: ${state.problem}`)
  }
  const checking = setInterval(() => {
    checkSettings().catch(err => logger.warn({ err, topic }, 'the Kafka topic could not be checked'))
  }, options.settingsCheckMs ?? defaultSettingsCheckMs)

  return {
    append: async event => (await appendAll([event]))[0] as number,
    appendAll,
    read,
    check: known =>
      check(known).catch(error => {
        throw unreachable(topic, error)
      }),
    confirm: known =>
      confirm(known).catch(error => {
        throw unreachable(topic, error)
      }),
    get keptSeconds() {
      return keptSeconds
    },
    close: async () => {
      closed.abort()
      clearInterval(checking)
      founder?.close()
      await Promise.race([queue.idle(), pause(closeWaitMs, undefined, { ref: false })])
      await Promise.all([writer.close(), probe.close(), closeClient(adminClient, admin.disconnect)])
    },
  }
}

/** Connects and prepares the topic, as often as it takes. */
async function prepare(admin: Admin, options: KafkaLogOptions & TopicOptions) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await prepareTopic(admin, options)
    } catch (error) {
      if (error instanceof RescindError) throw error
      const err = unreachable(options.topic, error)
      if (options.signal?.aborted) throw err
      if (attempt % startAttemptsPerLog === 0) {
        options.logger.warn({ err, brokers: options.brokers, attempt: attempt + 1 }, 'waiting for Kafka')
      }
      await pause(startRetryMs, undefined, options.signal && { signal: options.signal }).catch(
        () => undefined,
      )
    }
  }
}

const isOutside = ({ position }: LogPosition, { low, high }: Watermarks): boolean =>
  position !== beforeFirst.position && (position < low || position >= high)

const closedError = () => new RescindError('ERR_LOG_UNREACHABLE', 'the event log is closed')

/** Whatever became of the beat, nothing of what was to be appended was stored. */
const notAdopted = (topic: string, error: unknown) =>
  new RescindError(
    'ERR_LOG_UNREACHABLE',
    `the epoch of the Kafka topic ${topic} could not be read or written, so nothing was stored: ${(error as Error).message}`,
    { cause: error },
  )
