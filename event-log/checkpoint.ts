/**
 * The checkpoint of a follower: what it knows, on disk. With it a restart goes on where it was, and what was enforced
 * stays enforced when the log has lost it.
 *
 * @module
 */
import type { Applied } from '../revocation/apply-entry.ts'
import { type EventCodec, eventTypes } from '../revocation/formats/rescind.ts'
import { LiveState } from '../revocation/live-state.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { CheckpointChanges, type RevocationText } from './checkpoint-changes.ts'
import { type CheckpointStore, openCheckpointStore } from './checkpoint-store.ts'
import type { LogPosition } from './event-log.ts'

/** Where a checkpoint lies, and whom it tells of trouble. */
export interface CheckpointOptions {
  readonly folder: string
  /** The codec by which the log is read: with another one, what it passed may come to mean something. */
  readonly codec: EventCodec
  /** Called when a write fails; what it should have written is written with the next one. */
  readonly onError: (error: unknown) => void
  /** Default: {@link openCheckpointStore}. */
  readonly openStore?: (folder: string) => Promise<CheckpointStore>
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** A state that is kept on disk. */
export interface Checkpoint {
  /** What the folder held. Its position is -1 if the log must be read from its start. */
  readonly state: LiveState
  /** Must be called for each entry after it was applied to {@link state}. */
  noteApplied(entry: LogPosition, applied: Applied): void
  /** Resolves when everything that was applied until now is on disk. */
  flush(): Promise<void>
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
  const { openStore = openCheckpointStore, clock = systemClock } = options
  const store = await openStore(options.folder)
  const state = new LiveState()
  const unknownTypes = load(store, state)
  let changes = new CheckpointChanges()
  let writing: Promise<void> | undefined
  let isDirty = false

  state.onTouched = (key, live) => changes.touch(key, live)
  state.onRestart = () => {
    isDirty = true
    changes.restart()
    unknownTypes.clear()
  }
  if (mustReadAgain(store, options.codec)) state.restart()

  const write = async () => {
    if (!isDirty && changes.size === 0) return
    const { digest, ...summary } = state.summary
    const taken = changes
    changes = new CheckpointChanges()
    isDirty = false
    try {
      const texts = { digest: digest.toString(16).padStart(16, '0'), unknownTypes: [...unknownTypes] }
      await store.write(taken, { ...summary, ...texts, codecId: options.codec.id })
    } catch (error) {
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
      changes.note(entry, applied)
      const { unknownType } = applied
      if (unknownType !== undefined && unknownTypes.size < unknownTypesLimit) unknownTypes.add(unknownType)
      if (changes.size >= changesLimit) flushSoon()
    },
    flush,
    textsOf: store.textsOf,
    close: async () => {
      stopWriting()
      await flush().finally(store.close)
    },
  }
}

/** Fills a new state with what is stored; returns the types of events that were passed. */
function load({ summary, keys, history }: CheckpointStore, state: LiveState): Set<string> {
  if (summary === undefined) return new Set()
  state.load({ ...summary, digest: BigInt(`0x${summary.digest}`) }, keys(), history())
  return new Set(summary.unknownTypes)
}

/** Whether events that were passed may mean something now. */
function mustReadAgain({ summary }: CheckpointStore, codec: EventCodec): boolean {
  if (summary === undefined) return false
  const known: ReadonlySet<string> = new Set(Object.values(eventTypes))
  const { unknownTypes } = summary
  return (
    summary.codecId !== codec.id ||
    unknownTypes.length >= unknownTypesLimit ||
    unknownTypes.some(type => known.has(type))
  )
}
