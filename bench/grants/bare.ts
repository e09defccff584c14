/**
 * The baseline: the bare client library, with as many keys of the same size in one database, and as many of them in a
 * transaction.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { open } from 'lmdb'
import { perSecond } from './rate.ts'

const keyBytes = 16
const valueBytes = 100
const together = 1_000

const keyOf = (index: number): Buffer =>
  createHash('sha256').update(`${index}`).digest().subarray(0, keyBytes)

/** Puts so many keys, and gets some of them. */
export async function measureBare(folder: string, keys: number, gets: number) {
  const root = open({
    path: folder,
    noSubdir: false,
    maxDbs: 2,
    overlappingSync: false,
    eventTurnBatching: false,
  })
  const database = root.openDB<Buffer, Buffer>({ name: 'bare', encoding: 'binary', keyEncoding: 'binary' })
  const value = Buffer.alloc(valueBytes, 1)
  const startedAtMs = performance.now()
  for (let from = 0; from < keys; from += together) {
    await root.transaction(() => {
      for (let index = from; index < Math.min(keys, from + together); index++)
        database.putSync(keyOf(index), value)
    })
  }
  const barePutsPerSecond = (keys * 1_000) / (performance.now() - startedAtMs)
  const bareGetsPerSecond = await perSecond(gets, async index => {
    if (database.get(keyOf((index * 7_919) % keys)) === undefined) throw new Error('a key is not there')
  })
  await root.close()
  return { barePutsPerSecond, bareGetsPerSecond }
}
