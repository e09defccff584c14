/**
 * The simulated disk under a checkpoint: a write is there as a whole when it is flushed, or not at all.
 *
 * @module
 */
import type { CheckpointChanges } from '../../event-log/checkpoint-changes.ts'
import type { CheckpointStore, CheckpointSummary } from '../../event-log/checkpoint-store.ts'
import { historyLimit } from '../../revocation/digest-history.ts'
import type { LiveKeyImage } from '../../revocation/live-key.ts'
import type { Process, World } from './world.ts'

/** What outlives the process. */
export interface CheckpointDisk {
  /** Writes fail while this is true. */
  isFull: boolean
  /** Opens what is there for a process. */
  open(process: Process): CheckpointStore
}

/** Whom a disk tells of writes. */
export interface DiskListener {
  /** A write begins, with the state as it is now; returns what to call when it is there. */
  onWrite(): () => void
}

type Position = readonly [position: number, digest: bigint]

interface Contents {
  readonly summary: CheckpointSummary | undefined
  readonly keys: ReadonlyMap<string, LiveKeyImage>
  readonly history: readonly Position[]
}

/** An empty disk. */
export function createCheckpointDisk({ scheduler, dice }: World, listener: DiskListener): CheckpointDisk {
  let contents: Contents = { summary: undefined, keys: new Map(), history: [] }

  const flush = (process: Process, next: Contents, onThere: () => void) =>
    new Promise<void>((done, fail) => {
      // The process may be killed before: whether it is written all the same, nobody knows.
      scheduler.after(dice.between(1, 30), () => {
        if (!process.isAlive && dice.chance(0.5)) return
        if (disk.isFull) {
          process.run(() => fail(new Error('no space left on device')))
          return
        }
        contents = next
        onThere()
        process.run(done)
      })
    })

  const disk: CheckpointDisk = {
    isFull: false,
    open: process => {
      const opened = contents
      return {
        summary: opened.summary,
        keys: () => [...opened.keys].sort(([, one], [, other]) => one.changedAt - other.changedAt),
        *history() {
          yield* opened.history
        },
        textsOf: () => [],
        write: (changes, summary) =>
          flush(process, written(contents, changes, structuredClone(summary)), listener.onWrite()),
        close: async () => undefined,
      }
    },
  }
  return disk
}

function written(before: Contents, changes: CheckpointChanges, summary: CheckpointSummary): Contents {
  const keys = new Map(before.keys)
  for (const [key, image] of changes.keys) {
    if (image === undefined) keys.delete(key)
    else keys.set(key, image)
  }
  const added = changes.history.map(({ position, digest }): Position => [position, digest])
  const kept = changes.isRestarted ? [] : before.history
  return { summary, keys, history: [...kept, ...added].slice(-historyLimit) }
}
