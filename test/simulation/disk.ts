/**
 * The simulated disk under a checkpoint: a write is there as a whole when it is flushed, or not at all.
 *
 * @module
 */
import { type Group, unpackGroup } from '../../event-log/checkpoint-group.ts'
import type {
  CheckpointStore,
  CheckpointSummary,
  CheckpointWrite,
  LoadCheckpoint,
} from '../../event-log/checkpoint-store.ts'
import { historyLimit } from '../../revocation/digest-history.ts'
import type { Restored } from '../../revocation/state-summary.ts'
import type { Process, World } from './world.ts'

/** What outlives the process. */
export interface CheckpointDisk {
  /** Writes fail while this is true. */
  isFull: boolean
  /** Opens what is there for a process, which takes it over. */
  open(process: Process, load: LoadCheckpoint): CheckpointStore
}

/** Whom a disk tells of writes. */
export interface DiskListener {
  /** A write begins, with the state as it is now; returns what to call when it is there. */
  onWrite(): () => void
}

type Position = readonly [position: number, digest: bigint]

interface Contents {
  readonly summary: CheckpointSummary | undefined
  readonly groups: readonly Group[]
  readonly restored: ReadonlyMap<string, Restored>
  readonly history: readonly Position[]
}

/** An empty disk. */
export function createCheckpointDisk({ scheduler, dice }: World, listener: DiskListener): CheckpointDisk {
  let contents: Contents = { summary: undefined, groups: [], restored: new Map(), history: [] }

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
    open: (process, load) => {
      const { summary, ...opened } = contents
      if (summary !== undefined) load(summary, { ...opened, keys: keysOf(opened.groups) })
      return {
        text: () => undefined,
        textsAfter: () => [],
        write: write =>
          flush(
            process,
            written(contents, { ...write, summary: structuredClone(write.summary) }),
            listener.onWrite(),
          ),
        close: async () => undefined,
      }
    },
  }
  return disk
}

function* keysOf(groups: readonly Group[]) {
  for (const { bytes } of groups) yield* unpackGroup(bytes)
}

function written(before: Contents, write: CheckpointWrite): Contents {
  const restored = new Map(write.isRestarted ? [] : before.restored)
  for (const [id, one] of write.restorations) {
    if (one === undefined) restored.delete(id)
    else restored.set(id, one)
  }
  const groups = [...before.groups, ...(write.group === undefined ? [] : [write.group])]
  const added = write.history.map(({ position, digest }): Position => [position, digest])
  const kept = write.isRestarted ? [] : before.history
  return {
    summary: write.summary,
    groups: groups.filter(({ lastNeededAt }) => lastNeededAt > write.prunedAt),
    restored,
    history: [...kept, ...added].slice(-historyLimit),
  }
}
