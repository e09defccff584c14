/**
 * lmdb, with the flags of the embedded log.
 *
 * @module
 */
import { open } from 'lmdb'
import type { LogPlace } from '../place.ts'
import type { BareClient } from './bare-client.ts'

const flags = { noSubdir: false, maxDbs: 4, overlappingSync: false, eventTurnBatching: false }

/** Writes to a folder beside the log's; the log itself must be closed while it is read. */
export async function openBareLmdb({ folder }: LogPlace & { driver: 'embedded' }): Promise<BareClient> {
  const root = open({ ...flags, path: `${folder}-bare` })
  const values = root.openDB<Buffer, number>({ name: 'values', encoding: 'binary' })
  let last = 0
  return {
    write: async events => {
      await Promise.all(events.map(event => values.put(++last, event)))
    },
    readAll: async () => {
      const log = open({ ...flags, path: folder, readOnly: true })
      const entries = log.openDB<Buffer, number>({ name: 'entries', encoding: 'binary' })
      let bytes = 0
      for (const { value } of entries.getRange({})) bytes += value.length
      await log.close()
      return bytes
    },
    close: () => root.close(),
  }
}
