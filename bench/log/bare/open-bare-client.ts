/**
 * Opens the baseline of a driver.
 *
 * @module
 */
import type { LogPlace } from '../place.ts'
import type { BareClient } from './bare-client.ts'
import { openBareKafka } from './bare-kafka.ts'
import { openBareLmdb } from './bare-lmdb.ts'
import { openBareRedis } from './bare-redis.ts'

/** Opens the client library of a driver. */
export function openBareClient(place: LogPlace): Promise<BareClient> {
  if (place.driver === 'redis') return openBareRedis(place)
  return place.driver === 'kafka' ? openBareKafka(place) : openBareLmdb(place)
}
