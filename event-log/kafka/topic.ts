/**
 * The topic as an operator sees it: whether it is there and fit, how far it reaches; created when that is allowed.
 *
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type Admin } from 'kafkajs'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import { isAuthenticationFailure, protocolErrorOf } from './failure.ts'
import {
  createCommand,
  partitionsProblem,
  retentionSecondsOf,
  settingsOfNewTopic,
  settingsProblem,
  type TopicNeeds,
  type TopicSettings,
} from './topic-settings.ts'

/** What the log needs of the topic, and how to create it. */
export interface TopicOptions extends TopicNeeds {
  /** Absent: it is not created. */
  readonly createTopic: CreateTopicOptions | undefined
  readonly logger: Logger
}

/** A topic that we create. */
export interface CreateTopicOptions {
  /** Default: 3, or the number of brokers if there are fewer. */
  readonly replicationFactor?: number
  readonly retentionSeconds: number
}

/** How far a partition reaches. */
export interface Watermarks {
  /** The first offset that is still there. */
  readonly low: number
  /** The offset after the last one. */
  readonly high: number
}

/** What a topic is like. */
export interface TopicState {
  /** What is wrong with it and how to mend it; undefined if nothing is. */
  readonly problem: string | undefined
  /** How long it keeps an entry, seconds; Infinity if for ever. */
  readonly keptSeconds: number
}

/** Reads the watermarks of partition 0, now. */
export async function readWatermarks(admin: Admin, topic: string): Promise<Watermarks> {
  const partitions = await admin.fetchTopicOffsets(topic)
  const first = partitions.find(({ partition }) => partition === 0)
  if (first === undefined) throw new Error('it has no partition 0')
  return { low: Number(first.low), high: Number(first.high) }
}

/**
 * Connects, creates the topic if it is missing and that is allowed, and looks whether it is fit.
 *
 * @throws RescindError ERR_LOG_SETUP if somebody must change something; errors of kafkajs if no broker answers.
 */
export async function prepareTopic(admin: Admin, options: TopicOptions): Promise<TopicState> {
  try {
    await admin.connect()
    const state = await describeOrCreate(admin, options)
    if (state.problem === undefined) return state
    throw setupError(state.problem)
  } catch (error) {
    throw setupErrorOf(error, options) ?? error
  }
}

/**
 * Looks whether the topic is fit. Where its settings may not be read, that is a warning.
 *
 * @throws errors of kafkajs, also UNKNOWN_TOPIC_OR_PARTITION.
 */
export async function describeTopic(admin: Admin, needs: TopicNeeds, logger: Logger): Promise<TopicState> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [needs.topic] })
  const problem = partitionsProblem(topics[0]?.partitions.length ?? 0, needs)
  const settings = await readTopicSettings(admin, needs.topic)
  if (settings === undefined) {
    logger.warn(
      { topic: needs.topic },
      'the settings of the Kafka topic cannot be checked: allow DescribeConfigs on it; if it keeps entries for too short a time, revocations are lost',
    )
    return { problem, keptSeconds: needs.requiredRetentionSeconds }
  }
  return { problem: problem ?? settingsProblem(settings, needs), keptSeconds: retentionSecondsOf(settings) }
}

async function describeOrCreate(admin: Admin, options: TopicOptions): Promise<TopicState> {
  try {
    return await describeTopic(admin, options, options.logger)
  } catch (error) {
    if (protocolErrorOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    if (options.createTopic === undefined) {
      throw setupError(
        `the topic ${options.topic} does not exist. Create it: ${createCommand(options)}; or set eventLog.kafka.createTopic`,
      )
    }
    await create(admin, options, options.createTopic)
    return describeTopic(admin, options, options.logger)
  }
}

const leaderWaitMs = 100
const leaderTries = 100
const unsettledErrors: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
])

async function create(admin: Admin, { topic, logger }: TopicOptions, wanted: CreateTopicOptions) {
  const { brokers } = await admin.describeCluster()
  const replicationFactor = wanted.replicationFactor ?? Math.min(3, brokers.length)
  const configEntries = settingsOfNewTopic(wanted.retentionSeconds, replicationFactor)
  const isNew = await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor, configEntries }],
    waitForLeaders: false,
  })
  if (isNew) logger.info({ topic, replicationFactor }, 'created the Kafka topic')
  await awaitLeader(admin, topic)
}

/** Brokers answer that a topic was created before all of them, its leader too, know of it. */
async function awaitLeader(admin: Admin, topic: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await readWatermarks(admin, topic)
      return
    } catch (error) {
      if (!unsettledErrors.has(protocolErrorOf(error) ?? '')) throw error
      if (tries >= leaderTries) throw setupError(`the topic ${topic} was created, and has no leader`, error)
    }
    await pause(leaderWaitMs)
  }
}

/** The settings of a topic; undefined if they may not be read. @throws errors of kafkajs. */
export async function readTopicSettings(admin: Admin, name: string): Promise<TopicSettings | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
    })
    const entries = resources[0]?.configEntries ?? []
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
  } catch (error) {
    if (protocolErrorOf(error)?.endsWith('_AUTHORIZATION_FAILED')) return undefined
    throw error
  }
}

const setupError = (message: string, cause?: unknown) =>
  new RescindError('ERR_LOG_SETUP', `eventLog.kafka: ${message}`, { cause })

/** What the cluster refused and will refuse again, as ERR_LOG_SETUP. */
function setupErrorOf(error: unknown, { topic, brokers }: TopicOptions): RescindError | undefined {
  if (isAuthenticationFailure(error)) {
    return setupError(`${brokers.join(',')} refused user name or password; see eventLog.kafka.sasl`, error)
  }
  const sentence = refusals.get(refusalOf(error) ?? '')
  if (sentence === undefined) return undefined
  return setupError(`the topic ${topic}: ${sentence} (${(error as Error).message})`, error)
}

/** Creating a topic fails with an error that holds one for each topic. */
const refusalOf = (error: unknown) =>
  protocolErrorOf(error) ?? protocolErrorOf((error as { errors?: readonly unknown[] }).errors?.[0])

const refusals: ReadonlyMap<string, string> = new Map([
  ['INVALID_TOPIC_EXCEPTION', 'its name is not allowed; set eventLog.kafka.topic'],
  [
    'TOPIC_AUTHORIZATION_FAILED',
    'this user may not use it; allow Describe, Read, and for revokers Write and Create',
  ],
  ['CLUSTER_AUTHORIZATION_FAILED', 'this user may not create it; create it, or allow Create'],
  ['INVALID_REPLICATION_FACTOR', 'there are not so many brokers; set eventLog.kafka.replicationFactor'],
  ['POLICY_VIOLATION', "the cluster's policy does not allow such a topic; create it as the policy demands"],
])
