/**
 * How soon an adapter with a checkpoint is back after a restart, beside reading the log from its start.
 *
 * @module
 */
import { join } from 'node:path'
import { type Memory, memoryOf } from '../load/memory.ts'
import { typical } from '../statistics.ts'
import { type RunningAdapter, type Setting, startAdapter, withAdapter } from './setting.ts'

/** What was found. */
export interface Restart {
  /** From starting the process until it serves, from its checkpoint. */
  readonly seconds: number
  /** The same without a checkpoint, from a log that costs nothing to read: the shortest that is possible. */
  readonly withoutCheckpointSeconds: number
  /** The first time, when the checkpoint is written too. */
  readonly writingSeconds: number
  /** When it was back, and its garbage was collected. */
  readonly memory: Memory
}

/** Measures an adapter with so many revocations. */
export const measureRestart = async (setting: Setting, entries: number): Promise<Restart> => {
  const { rounds, progress } = setting.options
  // Before and after are the same log.
  const revokedAt = Math.floor(Date.now() / 1_000)
  const kept = { entries, revokedAt, dataFolder: join(setting.folder, 'checkpoint') }
  const secondsOf = async ({ startSeconds }: RunningAdapter) => startSeconds
  const withoutCheckpointSeconds = await withAdapter(setting, { entries, revokedAt }, secondsOf)
  progress('an adapter writes its checkpoint')
  const writingSeconds = await withAdapter(setting, kept, secondsOf)
  const seconds: number[] = []
  let memory: Memory | undefined
  for (let round = 1; round <= rounds; round++) {
    progress(`an adapter restarts from its checkpoint, round ${round} of ${rounds}`)
    const adapter = await startAdapter(setting, kept)
    seconds.push(adapter.startSeconds)
    await adapter.tell('collectGarbage', {})
    memory = memoryOf(adapter.pid)
    await adapter.stop()
  }
  return { seconds: typical(seconds), withoutCheckpointSeconds, writingSeconds, memory: memory as Memory }
}
