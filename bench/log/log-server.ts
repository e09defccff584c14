/**
 * The server that a driver needs, as one should run it: a Redis that writes every append to disk before it answers, a
 * Kafka broker; for the embedded log a folder.
 *
 * @module
 */
import { join } from 'node:path'
import { bringService } from '../../test/services/catalogue.ts'
import { startKafka } from '../../test/support/kafka.ts'
import { startRedis } from '../../test/support/redis.ts'
import type { DriverName, LogPlace } from './place.ts'

/** A running server. */
export interface LogServer {
  /** A log of its own, which is empty at first. */
  placeOf(name: string): LogPlace
  stop(): Promise<void>
}

/**
 * Starts the server of a driver.
 *
 * @param folder for the embedded log.
 */
export async function startLogServer(driver: DriverName, folder: string): Promise<LogServer> {
  if (driver === 'embedded') {
    return {
      placeOf: name => ({ driver, folder: join(folder, `embedded-${name}`) }),
      stop: async () => undefined,
    }
  }
  if ((await bringService(driver)) === undefined)
    throw new Error(`${driver} is missing here; bring it with: npm run services -- ${driver}`)
  if (driver === 'redis') {
    const { url, stop } = await startRedis({ persistence: 'always' })
    return { placeOf: prefix => ({ driver, url, prefix }), stop }
  }
  const { brokers, stop } = await startKafka()
  return { placeOf: topic => ({ driver, brokers, topic }), stop }
}
