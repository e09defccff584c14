/**
 * The simulated disk under an enforcer's snapshot: written part by part, there as a whole when all is written, or not at all.
 *
 * @module
 */
import {
  SnapshotReader,
  type SnapshotStore,
  type StoredSnapshot,
} from '../../enforcer/discovery/stored-snapshot.ts'
import type { Known } from './history.ts'
import type { Process, World } from './world.ts'

/** For each token what an enforcer must reject it for. */
export type HeldByToken = readonly ReadonlySet<Known>[]

/** What outlives the process. */
export interface SnapshotDisk {
  /** What the stored snapshot must hold. */
  readonly held: HeldByToken
  /** Opens what is there for a process; `heldNow` tells what it must hold when it begins to write. */
  open(process: Process, heldNow: () => HeldByToken): SnapshotStore
}

/** An empty disk. */
export function createSnapshotDisk({ dice }: World): SnapshotDisk {
  let bytes: Buffer | undefined
  let held: HeldByToken = []
  return {
    get held() {
      return held
    },
    open: (process, heldNow) => ({
      load: async () => (bytes === undefined ? undefined : readAll(bytes)),
      save: async parts => {
        const written: Buffer[] = []
        let heldThen: HeldByToken | undefined
        for (const part of parts) {
          heldThen ??= heldNow()
          written.push(part)
          await process.clock.sleep(dice.between(0, 200))
        }
        bytes = Buffer.concat(written)
        held = heldThen ?? []
      },
    }),
  }
}

function readAll(bytes: Buffer): StoredSnapshot {
  const reader = new SnapshotReader()
  let end = 0
  const next = (length: number) => bytes.subarray(end, (end += length))
  while (reader.wanted > 0) {
    const head = next(reader.wanted)
    for (const _ of reader.takeRest(head, next(reader.take(head))));
  }
  return reader.finish()
}
