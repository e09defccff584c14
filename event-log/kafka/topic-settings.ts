/**
 * What the topic's settings must be, and the command that mends them.
 *
 * @module
 */

/** Names and values as Kafka describes them. */
export type TopicSettings = ReadonlyMap<string, string>

/** What the log needs of the topic. */
export interface TopicNeeds {
  readonly topic: string
  readonly brokers: readonly string[]
  readonly requiredRetentionSeconds: number
}

/** Kafka's default with room for our largest append, 900 kB. */
const maxMessageBytes = 1_048_588
const minMessageBytes = 1_000_000

/** The settings of a topic that we create. */
export const settingsOfNewTopic = (retentionSeconds: number, replicationFactor: number) => [
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: retentionMs(retentionSeconds) },
  { name: 'retention.bytes', value: '-1' },
  { name: 'message.timestamp.type', value: 'LogAppendTime' },
  { name: 'max.message.bytes', value: String(maxMessageBytes) },
  { name: 'compression.type', value: 'uncompressed' },
  // With two copies an acknowledged append survives the loss of one broker.
  ...(replicationFactor >= 3 ? [{ name: 'min.insync.replicas', value: '2' }] : []),
]

/** How long the topic keeps an entry, seconds; Infinity if for ever. */
export function retentionSecondsOf(settings: TopicSettings): number {
  const ms = Number(settings.get('retention.ms'))
  return ms < 0 ? Number.POSITIVE_INFINITY : ms / 1000
}

/** What is wrong with a topic, and the command that mends it, as one sentence; undefined if nothing is. */
export function settingsProblem(settings: TopicSettings, needs: TopicNeeds): string | undefined {
  const wrong = [...requirements(needs)].filter(([name, { isMet }]) => !isMet(settings.get(name) ?? ''))
  if (wrong.length === 0) return undefined
  const found = wrong.map(([name, { why }]) => `${name} is ${settings.get(name)}, ${why}`)
  const changes = wrong.map(([name, { value }]) => `${name}=${value}`)
  return `the topic ${needs.topic} is not fit to be the event log: ${found.join('; ')}. Change it: ${alterCommand(needs, changes)}`
}

/** What is wrong with the number of partitions; undefined if nothing is. */
export function partitionsProblem(partitions: number, { topic, brokers }: TopicNeeds): string | undefined {
  if (partitions === 1) return undefined
  return `the topic ${topic} has ${partitions} partitions and must have exactly one, or there is no order; partitions cannot be taken away: name another topic in eventLog.kafka.topic, or, if it holds nothing of value, kafka-topics --bootstrap-server ${brokers.join(',')} --delete --topic ${topic}`
}

/** The command that creates the topic. */
export const createCommand = (needs: TopicNeeds): string =>
  `kafka-topics --bootstrap-server ${needs.brokers.join(',')} --create --topic ${needs.topic} --partitions 1 ${settingsOfNewTopic(
    needs.requiredRetentionSeconds,
    1,
  )
    .map(({ name, value }) => `--config ${name}=${value}`)
    .join(' ')}`

interface Requirement {
  readonly isMet: (value: string) => boolean
  /** What it should be. */
  readonly value: string
  readonly why: string
}

function requirements({ requiredRetentionSeconds }: TopicNeeds): ReadonlyMap<string, Requirement> {
  const is = (value: string, why: string): Requirement => ({ isMet: found => found === value, value, why })
  const retention = retentionMs(requiredRetentionSeconds)
  return new Map([
    ['cleanup.policy', is('delete', 'which would drop entries that have the same key or none')],
    ['retention.bytes', is('-1', 'which would drop live revocations when there are many')],
    [
      'message.timestamp.type',
      is('LogAppendTime', 'so that a clock that is wrong could make Kafka drop live revocations'),
    ],
    [
      'retention.ms',
      {
        isMet: found => Number(found) < 0 || Number(found) >= Number(retention),
        value: retention,
        why: 'which is shorter than the longest token lifetime with its margins',
      },
    ],
    [
      'max.message.bytes',
      {
        isMet: found => Number(found) >= minMessageBytes,
        value: String(maxMessageBytes),
        why: 'which is too small for appends of 900 kB',
      },
    ],
    [
      'compression.type',
      is('uncompressed', 'so that a producer could store batches that nobody here can read'),
    ],
  ])
}

const retentionMs = (seconds: number): string =>
  Number.isFinite(seconds) ? String(Math.ceil(seconds) * 1000) : '-1'

const alterCommand = ({ topic, brokers }: TopicNeeds, changes: readonly string[]): string =>
  `kafka-configs --bootstrap-server ${brokers.join(',')} --alter --entity-type topics --entity-name ${topic} --add-config ${changes.join(',')}`
