/**
 * Where a log is: as text it can be handed to another process, which opens the log there.
 *
 * @module
 */
import { openEmbeddedLog } from '../../event-log/embedded/embedded-log.ts'
import type { EventLog } from '../../event-log/event-log.ts'
import { openKafkaLog } from '../../event-log/kafka/kafka-log.ts'
import { kafkaLogOptions } from '../../test/support/kafka-log.ts'
import { openLog as openRedisLog } from '../../test/support/redis-log.ts'

/** The drivers, in the order in which they are measured. */
const driverNames = ['embedded', 'redis', 'kafka'] as const

/** One of them. */
export type DriverName = (typeof driverNames)[number]

/** The one that `--only` names; all if it is absent. Throws if there is none of that name. */
export const driversOf = (only: string | undefined): readonly DriverName[] => {
  if (only === undefined) return driverNames
  const driver = driverNames.find(name => name === only)
  if (driver !== undefined) return [driver]
  throw new Error(`--only: ${JSON.stringify(only)} is no driver; there are: ${driverNames.join(', ')}`)
}

/** A log that a driver can open. */
export type LogPlace =
  | { readonly driver: 'embedded'; readonly folder: string }
  | { readonly driver: 'redis'; readonly url: string; readonly prefix: string }
  | { readonly driver: 'kafka'; readonly brokers: readonly string[]; readonly topic: string }

/** As long as a `rescind` with its default settings wants it, and a little longer. */
const topicRetentionSeconds = 32 * 86_400

/** Opens the log there, with the driver's own settings; `writes` as in a revoker's process. */
export async function openLogAt(place: LogPlace, { writes }: { writes: boolean }): Promise<EventLog> {
  if (place.driver === 'redis') return (await openRedisLog(place)).log
  if (place.driver === 'kafka') {
    const createTopic = { retentionSeconds: topicRetentionSeconds }
    return openKafkaLog(kafkaLogOptions(place.brokers, { topic: place.topic, writes, createTopic }))
  }
  return openEmbeddedLog({ folder: place.folder, appendTimeoutMs: 10_000 })
}

/** The section `eventLog` of a process that uses it. */
export function configOf(place: LogPlace): object {
  const { driver, ...settings } = place
  return driver === 'embedded' ? { driver, ...settings } : { driver, [driver]: settings }
}
