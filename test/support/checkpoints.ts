/**
 * Checkpoints in folders, and logs that are followed to their end on them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { type Checkpoint, openCheckpoint } from '../../event-log/checkpoint.ts'
import { followLog } from '../../event-log/follow.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import { clockAt } from './clocks.ts'
import type { MemoryLogStore } from './memory-log.ts'
import { plainCodec } from './revocations.ts'

/** Opens a checkpoint in which nothing may go wrong. */
export const openCheckpointAt = (folder: string, codec: EventCodec = plainCodec): Promise<Checkpoint> =>
  openCheckpoint({ folder, codec, onError: error => assert.fail(String(error)) })

/** Follows a log to its end on a checkpoint; tells what was read, and what the state is then. */
export const followOnce = async (store: MemoryLogStore, checkpoint: Checkpoint, codec = plainCodec) => {
  const read: number[] = []
  const log = store.open()
  const follower = followLog({
    log,
    codec,
    graceSeconds: 0,
    clock: clockAt(() => 0),
    state: checkpoint.state,
    beforeComplete: checkpoint.flush,
    onApplied: (entry, applied) => {
      read.push(entry.position)
      checkpoint.noteApplied(entry, applied)
    },
  })
  await follower.caughtUp
  await follower.close()
  await log.close()
  return { read, rollbacks: follower.rollbacks, state: follower.state }
}

/** Opens the checkpoint in a folder, follows the log to its end, closes. */
export const runOnceAt = async (folder: string, store: MemoryLogStore, codec = plainCodec) => {
  const checkpoint = await openCheckpointAt(folder, codec)
  try {
    return await followOnce(store, checkpoint, codec)
  } finally {
    await checkpoint.close()
  }
}
