/**
 * ioredis: pipelines of XADD, and XREAD.
 *
 * @module
 */
import { Redis } from 'ioredis'
import type { LogPlace } from '../place.ts'
import type { BareClient } from './bare-client.ts'

type Reply = readonly (readonly [Buffer, readonly (readonly [Buffer, readonly Buffer[]])[]])[] | null

/** As many as the log reads at once. */
const pageEntries = 1_000

/** Writes to another stream of the same server. */
export async function openBareRedis({ url, prefix }: LogPlace & { driver: 'redis' }): Promise<BareClient> {
  const client = new Redis(url, { replyMapping: 'legacy', protocol: 2 })
  return {
    write: async events => {
      const pipeline = client.pipeline()
      for (const event of events) pipeline.xadd(`${prefix}-bare`, '*', 'e', event)
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
    },
    readAll: async () => {
      let bytes = 0
      let last = '0'
      for (;;) {
        const args = ['COUNT', pageEntries, 'STREAMS', `{${prefix}}:log`, last]
        const [stream] = ((await client.callBuffer('XREAD', ...args)) as Reply) ?? []
        if (stream === undefined) return bytes
        for (const [id, fields] of stream[1]) {
          bytes += fields.at(-1)?.length ?? 0
          last = id.toString()
        }
      }
    },
    close: async () => client.disconnect(),
  }
}
