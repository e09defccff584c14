/**
 * The database of a checkpoint: LMDB, one transaction for each write.
 *
 * @module
 */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { type Database, open } from 'lmdb'
import { historyLimit } from '../revocation/digest-history.ts'
import { RescindError } from '../revocation/error.ts'
import { keyFromText, keyText } from '../revocation/key.ts'
import type { LiveKeyImage } from '../revocation/live-key.ts'
import type { StateSummary } from '../revocation/state-summary.ts'
import type { CheckpointChanges, RevocationText } from './checkpoint-changes.ts'
import { type PlacedText, readTextsAfter } from './checkpoint-texts.ts'
import type { LogPosition } from './event-log.ts'
import { claimFolder } from './folder-claim.ts'
import { settleCommit } from './lmdb-commit.ts'

/** What a checkpoint says beside its keys. */
export interface CheckpointSummary extends Omit<StateSummary, 'digest'> {
  /** 16 hex digits. */
  readonly digest: string
  /** The codec by which the log was read. */
  readonly codecId: string
  /** Types of events that were passed because this version did not know them. */
  readonly unknownTypes: readonly string[]
}

/** A checkpoint on disk. */
export interface CheckpointStore {
  /** Undefined in a new folder, or if another format of checkpoint lies there. */
  readonly summary: CheckpointSummary | undefined
  /** All keys, in the order of their last change. */
  keys(): readonly (readonly [key: string, image: LiveKeyImage])[]
  /** The last positions that were read, oldest first. */
  history(): Generator<readonly [position: number, digest: bigint]>
  textsOf(key: Uint8Array): readonly RevocationText[]
  /** The next texts after a place, see `TextsOnDisk`. */
  textsAfter(place: Uint8Array | undefined, limit: number): readonly PlacedText[]
  /** Durable when it resolves. */
  write(changes: CheckpointChanges, summary: CheckpointSummary): Promise<void>
  close(): Promise<void>
}

/** Raised when what is stored changes its meaning; an older checkpoint is then made anew from the log. */
const formatVersion = 4

const idBytes = 16
const positionBytes = 16

/**
 * Opens the store in a folder, which is created if it is not there.
 *
 * @throws RescindError ERR_DATA_FOLDER if the folder cannot be used, or another process uses it.
 */
export async function openCheckpointStore(folder: string): Promise<CheckpointStore> {
  makeFolder(folder)
  const claim = await claimFolder(folder, 'adapter.dataFolder')
  const root = open({
    path: folder,
    noSubdir: false,
    maxDbs: 4,
    overlappingSync: false,
    eventTurnBatching: false,
  })
  const meta = root.openDB<unknown, string>({ name: 'meta' })
  const keys = root.openDB<LiveKeyImage, Buffer>({ name: 'keys', keyEncoding: 'binary' })
  const texts = root.openDB<RevocationText, Buffer>({ name: 'texts', keyEncoding: 'binary' })
  const history = root.openDB<Buffer, number>({ name: 'history', encoding: 'binary' })
  const isKnown = meta.get('format') === formatVersion
  if (!isKnown)
    await root.transaction(() => [meta, keys, texts, history].map(database => database.clearSync()))

  const removeTexts = (key: string) => {
    const range = { start: keyFromText(key), end: afterKey(key) }
    for (const text of [...texts.getKeys(range)]) texts.removeSync(text)
  }

  return {
    summary: isKnown ? (meta.get('summary') as CheckpointSummary) : undefined,
    keys: () =>
      [...keys.getRange({})]
        .map(({ key, value }) => [keyText(key), value] as const)
        .sort(([, one], [, other]) => one.changedAt - other.changedAt),
    *history() {
      for (const { value } of history.getRange({})) yield* unpackPositions(value)
    },
    textsOf: key =>
      [...texts.getRange({ start: Buffer.from(key), end: afterKey(keyText(key)) })].map(({ value }) => value),
    textsAfter: (place, limit) => readTextsAfter(texts, place, limit),
    write: async (changes, summary) => {
      const writing = root.childTransaction(() => {
        meta.putSync('format', formatVersion)
        meta.putSync('summary', summary)
        for (const key of changes.forgotten) removeTexts(key)
        for (const [key, ofKey] of changes.texts) {
          for (const text of ofKey.values()) texts.putSync(textKey(key, text.id), text)
        }
        writeKeys(keys, changes)
        const kept = changes.isRestarted ? 0 : Number(meta.get('positions') ?? 0)
        meta.putSync('positions', writeHistory(history, changes, kept))
      })
      await writing.catch(settleCommit)
    },
    close: async () => {
      await root.close()
      await claim.release()
    },
  }
}

/** Where a range that holds all keys beginning with `key` ends. */
const afterKey = (key: string): Buffer => Buffer.concat([keyFromText(key), Buffer.alloc(idBytes + 1, 0xff)])

const textKey = (key: string, id: string): Buffer => Buffer.concat([keyFromText(key), Buffer.from(id, 'hex')])

function writeKeys(keys: Database<LiveKeyImage, Buffer>, changes: CheckpointChanges): void {
  for (const [key, image] of changes.keys) {
    if (image === undefined) keys.removeSync(keyFromText(key))
    else keys.putSync(keyFromText(key), image)
  }
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
