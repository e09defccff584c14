/**
 * What an enforcer keeps on disk: its table and all that is needed to use it and to resume. No I/O.
 *
 * The bytes: a mark, the length of a JSON object and the object; frames, each with its kind (1 byte), its length (4
 * bytes, big-endian) and packed entries; a frame of kind 0, and SHA-256 over all before it.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { type ClaimSet, createClaimSet } from '../../revocation/claim-set.ts'
import { EntryPacker, packedEntryBytes, visitEntries } from '../../revocation/entries.ts'
import { RescindError } from '../../revocation/error.ts'
import type { EntryVisitor } from '../../revocation/segment.ts'
import { RevocationTable } from '../../revocation/table.ts'
import type { EarlierLifetime, TokenLifetimes } from '../../revocation/token-lifetimes.ts'
import type { Snapshot } from './snapshot.ts'

/** What is stored beside the tables. */
export interface SnapshotFacts {
  readonly version: number
  readonly epoch: string
  /** 16 hex digits. */
  readonly digest: string
  /** All that are in use; on the way to a version also those that it will not need any more. */
  readonly claimSets: readonly ClaimSet[]
  /** Those of entries that stay whatever an adapter names, and when the last of these expires, seconds. */
  readonly keptSets: readonly ClaimSet[]
  readonly keptUntil: number
  readonly toleranceSeconds: number
  readonly lifetimes: TokenLifetimes
  /** See `HeldLifetimes`. */
  readonly lifetimesOfLostLog: readonly EarlierLifetime[]
  /** How old what is known of the log's end was when it was stored, milliseconds. */
  readonly ageMs: number
  /** When it was stored, wall clock, milliseconds since 1970. */
  readonly storedAtMs: number
}

/** A snapshot as it was stored. */
export interface StoredSnapshot {
  readonly facts: SnapshotFacts
  readonly table: RevocationTable
  /** See `Snapshot.kept`. */
  readonly kept: RevocationTable
}

/** Where snapshots are stored. */
export interface SnapshotStore {
  /**
   * Reads what was stored; undefined if nothing was.
   *
   * @throws RescindError ERR_SNAPSHOT_INVALID if it was damaged, or another version has written it.
   */
  load(): Promise<StoredSnapshot | undefined>
  /** Stores all of the bytes in the place of what was stored, or nothing. */
  save(bytes: Iterable<Buffer>): Promise<void>
}

const mark = Buffer.from('RESCIND SNAPSHOT 4\n')
const factsBytesLimit = 2 ** 20
const frameBytesLimit = 2 ** 20
const frameHeadBytes = 5
const digestBytes = 32

const endFrame = 0
const tableFrame = 1
const keptFrame = 2
/** Entries that were weakened while the table was written: as they were before. */
const weakenedFrame = 3

/**
 * The bytes of a snapshot, a part of the table at a time. The snapshot may change meanwhile: the bytes then say at least as
 * much as was enforced at the version that they name, so that a resume from it brings the rest.
 *
 * @param factsNow asked when the first bytes are.
 */
export function* encodeSnapshot(factsNow: () => SnapshotFacts, snapshot: Snapshot): Generator<Buffer> {
  const { table, kept } = snapshot
  const hash = createHash('sha256')
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes)
    return bytes
  }
  const weakened = new EntryPacker()
  snapshot.onWeaken = (...key) => {
    const times = table.times(...key)
    if (times !== undefined) packWords(weakened, [...key, times.expiresAt, times.issuedBefore])
  }
  try {
    const json = Buffer.from(JSON.stringify(factsNow()))
    yield hashed(Buffer.concat([mark, uint32(json.length), json]))
    for (const frame of framesOf(tableFrame, table)) yield hashed(frame)
    for (const frame of framesOf(keptFrame, kept)) yield hashed(frame)
    for (const part of partsOf(weakened.take())) yield hashed(frame(weakenedFrame, part))
    yield hashed(frame(endFrame, Buffer.alloc(0)))
    yield hash.digest()
  } finally {
    snapshot.onWeaken = undefined
  }
}

function* framesOf(kind: number, table: RevocationTable): Generator<Buffer> {
  const packer = new EntryPacker()
  for (const _ of table.visit((...words) => packWords(packer, words))) yield frame(kind, packer.take())
}

/** Reads bytes that {@link encodeSnapshot} made, in any pieces. */
export class SnapshotReader {
  readonly #table = new RevocationTable()
  readonly #kept = new RevocationTable()
  readonly #hash = createHash('sha256')
  #facts: SnapshotFacts | undefined
  #isOver = false
  #digest: Buffer | undefined

  /** How many bytes are to be given next; 0 at the end. */
  get wanted(): number {
    if (this.#digest !== undefined) return 0
    if (this.#isOver) return digestBytes
    return this.#facts === undefined ? mark.length + 4 : frameHeadBytes
  }

  /**
   * Takes the {@link wanted} bytes.
   *
   * @returns how many bytes belong to them: they are to be given to {@link takeRest}.
   * @throws RescindError ERR_SNAPSHOT_INVALID
   */
  take(head: Buffer): number {
    if (this.#isOver) {
      this.#digest = head
      return 0
    }
    this.#hash.update(head)
    if (this.#facts === undefined) {
      if (!head.subarray(0, mark.length).equals(mark))
        throw invalid('it is not one that this version can read')
      return bounded(head.readUInt32BE(mark.length), factsBytesLimit)
    }
    this.#isOver = head[0] === endFrame
    return bounded(head.readUInt32BE(1), frameBytesLimit)
  }

  /** Takes the rest, in slices. */
  *takeRest(head: Buffer, rest: Buffer): Generator<void> {
    if (this.#digest !== undefined) return
    this.#hash.update(rest)
    if (this.#facts === undefined) this.#facts = factsOf(rest)
    else if (head[0] === tableFrame) yield* visitEntries(rest, this.#table.set.bind(this.#table))
    else if (head[0] === keptFrame) yield* visitEntries(rest, this.#kept.set.bind(this.#kept))
    else if (head[0] === weakenedFrame) yield* visitEntries(rest, (...words) => this.#table.raise(...words))
    else if (head[0] !== endFrame) throw invalid('a part of it is of an unknown kind')
  }

  /**
   * What was read.
   *
   * @throws RescindError ERR_SNAPSHOT_INVALID if it is not what was written.
   */
  finish(): StoredSnapshot {
    const isWhole = this.#digest?.equals(this.#hash.digest()) ?? false
    if (!isWhole || this.#facts === undefined) throw invalid('it does not have its checksum')
    return { facts: this.#facts, table: this.#table, kept: this.#kept }
  }
}

/** Why a snapshot cannot be used. */
export const invalid = (message: string) => new RescindError('ERR_SNAPSHOT_INVALID', message)

function bounded(length: number, limit: number): number {
  if (length <= limit) return length
  throw invalid(`a part of it would have ${length} bytes`)
}

/** Checksums find accidents, not the mistakes of another version. */
function factsOf(json: Buffer): SnapshotFacts {
  try {
    const facts = JSON.parse(json.toString()) as SnapshotFacts
    const setsOf = (sets: readonly ClaimSet[]) => sets.map(({ names, cut }) => createClaimSet(names, cut))
    return { ...facts, claimSets: setsOf(facts.claimSets), keptSets: setsOf(facts.keptSets) }
  } catch {
    throw invalid('what it says of itself cannot be read')
  }
}

function* partsOf(packed: Buffer): Generator<Buffer> {
  const partBytes = frameBytesLimit - (frameBytesLimit % packedEntryBytes)
  for (let start = 0; start < packed.length; start += partBytes)
    yield packed.subarray(start, start + partBytes)
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const frame = (kind: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.of(kind), uint32(content.length), content])

/** The words of a table are little-endian, those of a packer big-endian. */
const packWords = (
  packer: EntryPacker,
  [k0, k1, k2, k3, expiresAt, issuedBefore]: Parameters<EntryVisitor>,
): void => packer.add(swapped(k0), swapped(k1), swapped(k2), swapped(k3), expiresAt, issuedBefore)

const swapped = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
