/**
 * The file in which an enforcer stores its snapshot: always a whole one.
 *
 * @module
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  invalid,
  SnapshotReader,
  type SnapshotStore,
  type StoredSnapshot,
} from './discovery/stored-snapshot.ts'

/** A store in one file. */
export function createSnapshotFile(path: string): SnapshotStore {
  const next = `${path}.new`
  return {
    load: async () => {
      const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw invalid(`it cannot be read (${error.code ?? 'unknown'})`)
      })
      return file && readSnapshot(file).finally(() => file.close())
    },
    save: async bytes => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      try {
        await writeAll(next, bytes)
        await rename(next, path)
      } catch (error) {
        await rm(next, { force: true })
        throw error
      }
      await syncFolder(dirname(path))
    },
  }
}

async function writeAll(path: string, bytes: Iterable<Buffer>): Promise<void> {
  // Made anew: one that was left by somebody else would keep its rights.
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    for (const part of bytes) await file.writeFile(part)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** So that the new name is on disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

async function readSnapshot(file: FileHandle): Promise<StoredSnapshot> {
  const reader = new SnapshotReader()
  while (reader.wanted > 0) {
    const head = await readExactly(file, reader.wanted)
    const rest = await readExactly(file, reader.take(head))
    for (const _ of reader.takeRest(head, rest)) await nextTurn()
  }
  return reader.finish()
}

async function readExactly(file: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let end = 0
  while (end < length) {
    const { bytesRead } = await file.read(bytes, end, length - end)
    if (bytesRead === 0) throw invalid('it ends too early')
    end += bytesRead
  }
  return bytes
}
