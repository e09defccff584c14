/**
 * The checkpoint of a follower: what it knows, on disk. With it a restart goes on where it was, and what was enforced
 * stays enforced when the log has lost it.
 *
 * @module
 */
import type { Applied } from '../revocation/apply-entry.ts'
import { RescindError } from '../revocation/error.ts'
import { type EventCodec, eventTypes } from '../revocation/formats/rescind.ts'
import { keyText } from '../revocation/key.ts'
import { LiveState } from '../revocation/live-state.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { CheckpointChanges, type RevocationText } from './checkpoint-changes.ts'
import { setAside } from './checkpoint-file.ts'
import {
  type CheckpointStore,
  type CheckpointSummary,
  type LoadCheckpoint,
  openCheckpointStore,
} from './checkpoint-store.ts'
import type { TextsOnDisk } from './checkpoint-texts.ts'
import type { LogPosition } from './event-log.ts'

/** Where a checkpoint lies, and whom it tells of trouble. */
export interface CheckpointOptions {
  readonly folder: string
  /** The codec by which the log is read: with another one, what it passed may come to mean something. */
  readonly codec: EventCodec
  /** Called when a write fails; what it should have written is written with the next one. */
  readonly onError: (error: unknown) => void
  /** Called when what the folder held was damaged, and where it was put: the log is read from its start. */
  readonly onDamaged?: (problem: string, aside: string) => void
  /** Default: in a folder that no other process uses, see {@link openCheckpointStore}. */
  readonly openStore?: (folder: string, load: LoadCheckpoint) => Promise<CheckpointStore>
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** A state that is kept on disk. */
export interface Checkpoint extends TextsOnDisk {
  /** What the folder held. Its position is -1 if the log must be read from its start. */
  readonly state: LiveState
  /** Must be called for each entry after it was applied to {@link state}. */
  noteApplied(entry: LogPosition, applied: Applied): void
  /** What people want to know of the revocations of a key, as far as it was written. */
  textsOf(key: Uint8Array): readonly RevocationText[]
  close(): Promise<void>
}

const writeEveryMs = 10_000
/** So many changes, two for each revocation, are written before their time: the event loop waits 2 ms or so for them. */
const changesLimit = 400
const unknownTypesLimit = 16

/**
 * Opens the checkpoint in a folder, which is created if it is not there.
 *
 * @throws RescindError ERR_DATA_FOLDER if the folder cannot be used, ERR_LOG_IN_USE if another process has it.
 */
export async function openCheckpoint(options: CheckpointOptions): Promise<Checkpoint> {
  const { codec, clock = systemClock } = options
  const { store, state, summary } = await openStore(options)
  const unknownTypes = new Set(summary?.unknownTypes)
  let changes = new CheckpointChanges()
  let writing: Promise<void> | undefined
  let isDirty = false
  /** Until a write succeeds again it is tried from time to time only. */
  let isFailing = false

  state.onTouched = (key, before, after) => changes.touch(key, before, after)
  state.restorations.onChanged = id => changes.restored.add(id)
  state.onRestart = () => {
    isDirty = true
    changes.restart()
    unknownTypes.clear()
  }
  if (mustReadAgain(summary, codec)) state.restart()

  const write = async () => {
    if (!isDirty && changes.size === 0) return
    const taken = changes
    changes = new CheckpointChanges()
    isDirty = false
    const { digest, ...rest } = state.summary
    const texts = { digest: digest.toString(16).padStart(16, '0'), unknownTypes: [...unknownTypes] }
    try {
      await store.write({ ...taken.take(state), summary: { ...rest, ...texts, codecId: codec.id } })
      isFailing = false
    } catch (error) {
      isFailing = true
      isDirty = true
      changes.putBack(taken)
      throw error
    }
  }
  const flush = async () => {
    while (writing !== undefined) await writing.catch(() => undefined)
    writing = write().finally(() => {
      writing = undefined
    })
    await writing
  }
  const flushSoon = () => {
    if (writing === undefined) flush().catch(options.onError)
  }

  const stopWriting = clock.every(writeEveryMs, flushSoon)
  return {
    state,
    noteApplied: (entry, applied) => {
      changes.note(entry, state.sequence, applied)
      const { unknownType } = applied
      if (unknownType !== undefined && unknownTypes.size < unknownTypesLimit) unknownTypes.add(unknownType)
      if (changes.size >= changesLimit && !isFailing) flushSoon()
    },
    flush,
    textsOf: key => {
      const singles = state.live(keyText(key))?.singles ?? []
      return singles.flatMap(({ sequence }) => changes.texts.get(sequence) ?? store.text(sequence) ?? [])
    },
    textsAfter: store.textsAfter,
    close: async () => {
      stopWriting()
      await flush().finally(store.close)
    },
  }
}

interface Opened {
  readonly store: CheckpointStore
  readonly state: LiveState
  readonly summary: CheckpointSummary | undefined
}

/** What was damaged is put aside: the log is what decides. */
async function openStore(options: CheckpointOptions): Promise<Opened> {
  try {
    return await loadStore(options)
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'ERR_CHECKPOINT_INVALID') throw error
    options.onDamaged?.(error.message, setAside(options.folder))
    return await loadStore(options)
  }
}

async function loadStore({
  folder,
  openStore: open = openCheckpointStore,
}: CheckpointOptions): Promise<Opened> {
  const state = new LiveState()
  let summary: CheckpointSummary | undefined
  const store = await open(folder, (stored, parts) => {
    summary = stored
    state.load({ ...stored, digest: BigInt(`0x${stored.digest}`) }, parts)
  })
  return { store, state, summary }
}

/** Whether events that were passed may mean something now. */
function mustReadAgain(summary: CheckpointSummary | undefined, codec: EventCodec): boolean {
  if (summary === undefined) return false
  const known: ReadonlySet<string> = new Set(Object.values(eventTypes))
  const { unknownTypes } = summary
  return (
    summary.codecId !== codec.id ||
    unknownTypes.length >= unknownTypesLimit ||
    unknownTypes.some(type => known.has(type))
  )
}
