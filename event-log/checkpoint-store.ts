/**
 * The database of a checkpoint: LMDB, one transaction for each write.
 *
 * @module
 */
import { accessSync, constants, mkdirSync } from 'node:fs'
import type { Database, RootDatabase } from 'lmdb'
import { historyLimit } from '../revocation/digest-history.ts'
import { RescindError } from '../revocation/error.ts'
import type { PackedKey } from '../revocation/live-rows.ts'
import type { Restored, StateParts, StateSummary } from '../revocation/state-summary.ts'
import type { RevocationText, TakenChanges } from './checkpoint-changes.ts'
import { checkFileSize, noteFileSize } from './checkpoint-file.ts'
import { type Group, groupSum, unpackGroup } from './checkpoint-group.ts'
import type { PlacedText } from './checkpoint-texts.ts'
import { openRoot } from './data-folder.ts'
import type { LogPosition } from './event-log.ts'
import { claimFolder, type FolderClaim } from './folder-claim.ts'
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

/** What is to be written. */
export interface CheckpointWrite extends TakenChanges {
  readonly summary: CheckpointSummary
}

/** A checkpoint on disk. */
export interface CheckpointStore {
  /** The text of the revocation with a sequence number, see `LiveKey`. */
  text(sequence: number): RevocationText | undefined
  /** See `TextsOnDisk`. */
  textsAfter(sequence: number, limit: number): readonly PlacedText[]
  /** Durable when it resolves. */
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
 * @throws RescindError ERR_CHECKPOINT_INVALID if what is stored was damaged, ERR_DATA_FOLDER if the folder cannot be used,
 *   ERR_LOG_IN_USE if another process has it.
 */
export async function openCheckpointStore(folder: string, load: LoadCheckpoint): Promise<CheckpointStore> {
  makeFolder(folder)
  const claim = await claimFolder(folder, 'adapter.dataFolder')
  try {
    await loadFolder(folder, load)
  } catch (error) {
    await claim.release()
    throw error
  }
  return storeIn(openDatabases(folder), folder, claim)
}

async function loadFolder(folder: string, load: LoadCheckpoint): Promise<void> {
  checkFileSize(folder)
  const stored = openDatabases(folder)
  try {
    await readStored(stored, load)
  } catch (error) {
    if (error instanceof RescindError) throw error
    throw new RescindError('ERR_CHECKPOINT_INVALID', `it cannot be read (${(error as Error).message})`, {
      cause: error,
    })
  } finally {
    // What was read is mapped into memory until the file is closed.
    await stored.root.close()
  }
}

function openDatabases(folder: string): Databases {
  const root = openRoot(folder)
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

function storeIn(databases: Databases, folder: string, claim: FolderClaim): CheckpointStore {
  const { root, texts } = databases
  return {
    text: sequence => texts.get(sequence),
    textsAfter: (sequence, limit) =>
      Array.from(texts.getRange({ start: sequence + 1, limit }), ({ key, value }) => ({
        sequence: key,
        text: value,
      })),
    write: async write => {
      await root.childTransaction(() => writeAll(databases, write)).catch(settleCommit)
      noteFileSize(folder)
    },
    close: async () => {
      await root.close()
      await claim.release()
    },
  }
}

function writeAll(databases: Databases, write: CheckpointWrite): void {
  const { meta, texts, restored, history } = databases
  const { group } = write
  meta.putSync('format', formatVersion)
  meta.putSync('summary', write.summary)
  const added = group === undefined ? 0 : addGroup(databases, group)
  const removed = removeGroups(databases, write.prunedAt)
  meta.putSync('sum', (Number(meta.get('sum') ?? 0) + added + removed) % sumLimit)
  for (const sequence of write.forgottenTexts) texts.removeSync(sequence)
  for (const [sequence, text] of write.texts) texts.putSync(sequence, text)
  if (write.isRestarted) restored.clearSync()
  for (const [id, one] of write.restorations) {
    if (one === undefined) restored.removeSync(id)
    else restored.putSync(id, one)
  }
  const kept = write.isRestarted ? 0 : Number(meta.get('positions') ?? 0)
  meta.putSync('positions', writeHistory(history, write, kept))
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
    removed = (removed + sumLimit - value) % sumLimit
  }
  return removed
}

/**
 * Adds positions as one value under the first of them, and forgets the oldest values beyond the limit.
 *
 * @param kept how many positions are there; to count them would be to read all values at each write.
 * @returns how many are there then.
 */
function writeHistory(history: Database<Buffer, number>, changes: TakenChanges, kept: number): number {
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

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new RescindError(
      'ERR_DATA_FOLDER',
      `adapter.dataFolder: ${folder} cannot be used (${(error as Error).message}); name a folder that this user can write`,
      { cause: error },
    )
  }
}
