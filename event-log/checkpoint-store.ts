/**
 * The database of a checkpoint: LMDB, one transaction for each write.
 *
 * @module
 */
import { type Database, open, type RootDatabase } from 'lmdb'
import { historyLimit } from '../revocation/digest-history.ts'
import { RescindError } from '../revocation/error.ts'
import type { PackedKey } from '../revocation/live-rows.ts'
import type { LiveState } from '../revocation/live-state.ts'
import type { Restored, StateParts, StateSummary } from '../revocation/state-summary.ts'
import type { CheckpointChanges, RevocationText } from './checkpoint-changes.ts'
import { checkFileSize, noteFileSize } from './checkpoint-file.ts'
import { type Group, groupSum, packGroup, unpackGroup } from './checkpoint-group.ts'
import type { PlacedText } from './checkpoint-texts.ts'
import type { LogPosition } from './event-log.ts'
import { settleCommit } from './lmdb-commit.ts'

/** What a checkpoint says beside its parts. */
export interface CheckpointSummary extends Omit<StateSummary, 'digest'> {
  /** 16 hex digits. */
  readonly digest: string
  /** The codec by which the log was read. */
  readonly codecId: string
  /** Types of events that were passed because this version did not know them. */
  readonly unknownTypes: readonly string[]
}

/** What changed since the last write, and the state as it is now. */
export interface CheckpointWrite {
  readonly changes: CheckpointChanges
  readonly summary: CheckpointSummary
  readonly state: Pick<LiveState, 'kept' | 'restored' | 'prunedAt'>
}

/** A checkpoint on disk. */
export interface CheckpointStore {
  /** The text of the revocation with a sequence number, see `LiveKey`. */
  text(sequence: number): RevocationText | undefined
  /** See `TextsOnDisk`. */
  textsAfter(sequence: number, limit: number): readonly PlacedText[]
  /** What is to be written is taken at once; durable when it resolves. */
  write(write: CheckpointWrite): Promise<void>
  close(): Promise<void>
}

/** Takes over what a checkpoint holds; the parts can be read until it returns. */
export type LoadCheckpoint = (summary: CheckpointSummary, parts: StateParts) => void

/** Raised when what is stored changes its meaning; an older checkpoint is then made anew from the log. */
const formatVersion = 5

const positionBytes = 16
/** The sum over the groups counts to here and begins again. */
const sumLimit = 2 ** 48

interface Databases {
  readonly root: RootDatabase
  readonly meta: Database<unknown, string>
  /** Keys, as many as each write had, by a number that counts up. */
  readonly groups: Database<Buffer, number>
  /** What the groups add to the sum over all, by when nothing in them is needed any more, and their number. */
  readonly sums: Database<number, [lastNeededAt: number, number: number]>
  readonly texts: Database<RevocationText, number>
  readonly restored: Database<Restored, string>
  readonly history: Database<Buffer, number>
}

/**
 * Opens the store in a folder, after `load` took over what it holds. A new folder holds nothing, and so does one that was
 * written in another format.
 *
 * @throws RescindError ERR_CHECKPOINT_INVALID if what is stored was damaged.
 */
export async function openCheckpointStore(folder: string, load: LoadCheckpoint): Promise<CheckpointStore> {
  checkFileSize(folder)
  const stored = openDatabases(folder)
  try {
    await readStored(stored, load)
  } finally {
    // What was read is mapped into memory until the file is closed.
    await stored.root.close()
  }
  return storeIn(openDatabases(folder), folder)
}

function openDatabases(folder: string): Databases {
  const root = open({
    path: folder,
    noSubdir: false,
    maxDbs: 6,
    overlappingSync: false,
    eventTurnBatching: false,
  })
  return {
    root,
    meta: root.openDB({ name: 'meta' }),
    groups: root.openDB({ name: 'groups', encoding: 'binary' }),
    sums: root.openDB({ name: 'sums' }),
    texts: root.openDB({ name: 'texts' }),
    restored: root.openDB({ name: 'restored' }),
    history: root.openDB({ name: 'history', encoding: 'binary' }),
  }
}

async function readStored({ root, ...databases }: Databases, load: LoadCheckpoint): Promise<void> {
  const { meta, restored, history } = databases
  if (meta.get('format') !== formatVersion) {
    await root.transaction(() => Object.values(databases).map(database => database.clearSync()))
    return
  }
  const summary = meta.get('summary') as CheckpointSummary
  load(summary, {
    keys: readGroups(databases),
    restored: entriesOf(restored),
    history: readHistory(history),
  })
}

function* readGroups({ groups, meta }: Pick<Databases, 'groups' | 'meta'>): Generator<PackedKey> {
  let sum = 0
  for (const { value } of groups.getRange({})) {
    sum = (sum + groupSum(value)) % sumLimit
    yield* unpackGroup(value)
  }
  if (sum === (meta.get('sum') ?? 0)) return
  throw new RescindError('ERR_CHECKPOINT_INVALID', 'a group of keys is missing, or one is there too many')
}

function* entriesOf<Value, Key extends string>(database: Database<Value, Key>) {
  for (const { key, value } of database.getRange({})) yield [key, value] as const
}

function* readHistory(history: Database<Buffer, number>) {
  for (const { value } of history.getRange({})) yield* unpackPositions(value)
}

function storeIn(databases: Databases, folder: string): CheckpointStore {
  const { root, texts } = databases
  const commit = (write: CheckpointWrite): Promise<void> => {
    const changed = taken(write)
    return root.childTransaction(() => writeAll(databases, write, changed))
  }
  return {
    text: sequence => texts.get(sequence),
    textsAfter: (sequence, limit) =>
      Array.from(texts.getRange({ start: sequence + 1, limit }), ({ key, value }) => ({
        sequence: key,
        text: value,
      })),
    write: async write => {
      await commit(write).catch(settleCommit)
      noteFileSize(folder)
    },
    close: () => root.close(),
  }
}

/** What changed, as it is now: when the transaction begins the state has gone on. */
interface Taken {
  readonly group: Group | undefined
  readonly restorations: readonly (readonly [id: string, restored: Restored | undefined])[]
}

function taken({ changes, state }: CheckpointWrite): Taken {
  const keys = Array.from(changes.keys, key => state.kept(key)).filter(kept => kept !== undefined)
  return {
    group: keys.length === 0 ? undefined : packGroup(keys),
    restorations: Array.from(changes.restored, id => [id, state.restored(id)] as const),
  }
}

function writeAll(databases: Databases, write: CheckpointWrite, { group, restorations }: Taken): void {
  const { meta, texts, restored, history } = databases
  const { changes, summary } = write
  meta.putSync('format', formatVersion)
  meta.putSync('summary', summary)
  const sum =
    removeGroups(databases, write.state.prunedAt) + (group === undefined ? 0 : addGroup(databases, group))
  meta.putSync('sum', (Number(meta.get('sum') ?? 0) + sum) % sumLimit)
  for (const sequence of changes.forgottenTexts) texts.removeSync(sequence)
  for (const [sequence, text] of changes.texts) texts.putSync(sequence, text)
  if (changes.isRestarted) restored.clearSync()
  for (const [id, one] of restorations) {
    if (one === undefined) restored.removeSync(id)
    else restored.putSync(id, one)
  }
  const kept = changes.isRestarted ? 0 : Number(meta.get('positions') ?? 0)
  meta.putSync('positions', writeHistory(history, changes, kept))
}

/** Returns what is to be added to the sum. */
function addGroup({ meta, groups, sums }: Databases, { bytes, lastNeededAt }: Group): number {
  const number = Number(meta.get('nextGroup') ?? 0)
  meta.putSync('nextGroup', number + 1)
  groups.putSync(number, bytes)
  sums.putSync([lastNeededAt, number], groupSum(bytes))
  return groupSum(bytes)
}

/** Removes the groups that are not needed any more; returns what is to be added to the sum. */
function removeGroups({ groups, sums }: Databases, prunedAt: number): number {
  const over = [...sums.getRange({ end: [prunedAt, Number.MAX_SAFE_INTEGER] })]
  let removed = 0
  for (const { key, value } of over) {
    sums.removeSync(key)
    groups.removeSync(key[1])
    removed += sumLimit - value
  }
  return removed
}

/**
 * Adds positions as one value under the first of them, and forgets the oldest values beyond the limit.
 *
 * @param kept how many positions are there; to count them would be to read all values at each write.
 * @returns how many are there then.
 */
function writeHistory(history: Database<Buffer, number>, changes: CheckpointChanges, kept: number): number {
  if (changes.isRestarted) history.clearSync()
  const [first] = changes.history
  if (first === undefined) return kept
  history.putSync(first.position, packPositions(changes.history))
  let left = kept + changes.history.length
  for (const { key, value } of history.getRange({})) {
    const oldest = value.length / positionBytes
    if (left - oldest < historyLimit) break
    history.removeSync(key)
    left -= oldest
  }
  return left
}

function packPositions(positions: readonly LogPosition[]): Buffer {
  const bytes = Buffer.allocUnsafe(positions.length * positionBytes)
  for (const [index, { position, digest }] of positions.entries()) {
    bytes.writeBigUInt64BE(BigInt(position), index * positionBytes)
    bytes.writeBigUInt64BE(digest, index * positionBytes + 8)
  }
  return bytes
}

function* unpackPositions(bytes: Buffer): Generator<readonly [position: number, digest: bigint]> {
  for (let offset = 0; offset < bytes.length; offset += positionBytes) {
    yield [Number(bytes.readBigUInt64BE(offset)), bytes.readBigUInt64BE(offset + 8)]
  }
}
