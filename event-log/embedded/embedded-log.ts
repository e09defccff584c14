/**
 * The embedded event log: LMDB in the process that runs revoker and adapter. What was acknowledged is on disk.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { Database, RootDatabase } from 'lmdb'
import type { Confirmation } from '../../revocation/digest-history.ts'
import { RescindError } from '../../revocation/error.ts'
import { type AppendGroup, createAppendQueue } from '../append-queue.ts'
import { openDataFolder } from '../data-folder.ts'
import { chainedDigest, digestBytes, digestToBytes } from '../digest.ts'
import { beforeFirst, checkAppendSize, type EventLog, type LogEntry, type LogPosition } from '../event-log.ts'
import { settleCommit } from '../lmdb-commit.ts'

/** Where the log lies and how long an append may take. */
export interface EmbeddedLogOptions {
  readonly folder: string
  readonly appendTimeoutMs: number
}

/** Entries that a reader gets at once. */
const pageEntries = 1_000

/** First position of a new log. */
const firstPosition = 1

/** A value of the entries database: 8 bytes of digest, then the event. */
const encodeValue = (digest: bigint, event: Uint8Array): Buffer =>
  Buffer.concat([digestToBytes(digest), event])

/**
 * Opens the log in a folder, which is created if it is not there.
 *
 * @throws RescindError ERR_LOG_FOLDER if the folder cannot be written, ERR_LOG_IN_USE if another process has it.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const { root, databases, close } = await openDataFolder(
    options.folder,
    'eventLog.folder',
    openIn,
    'ERR_LOG_FOLDER',
  )
  const { meta, entries } = databases

  const { epoch, writer } = await root.transaction(() => {
    const opened = { epoch: meta.get('epoch') ?? randomUUID(), writer: Number(meta.get('writer') ?? 0) + 1 }
    meta.put('epoch', opened.epoch)
    meta.put('writer', opened.writer)
    return opened
  })

  let end = readEnd(entries)
  const appended = new EventEmitter().setMaxListeners(0)
  const closed = new AbortController()

  const write = async (groups: readonly AppendGroup[]) => {
    let next = end
    const positions: number[][] = []
    const owned = await root
      // A child transaction is undone as a whole when something in it fails.
      .childTransaction(() => {
        if (meta.get('writer') !== writer) return false
        next = readEnd(entries)
        for (const group of groups) {
          positions.push(
            group.events.map(event => {
              next = following(next, event)
              entries.putSync(next.position, encodeValue(next.digest, event))
              return next.position
            }),
          )
        }
        return true
      })
      .catch(settleCommit)
      .catch(error => {
        throw writeError(options.folder, error)
      })
    if (!owned) throw takenError(options.folder)
    end = next
    appended.emit('appended')
    return positions
  }
  const queue = createAppendQueue(write, options.appendTimeoutMs)

  const appendAll = async (events: readonly Uint8Array[]) => {
    checkAppendSize(events)
    if (closed.signal.aborted) throw new RescindError('ERR_LOG_FOLDER', 'the event log is closed')
    return queue.append(events)
  }

  const read = async function* (
    after: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogEntry[]> {
    const stop = AbortSignal.any([signal, closed.signal])
    let last = after
    while (!stop.aborted) {
      if (last.position >= end.position) {
        await once(appended, 'appended', { signal: stop }).catch(() => undefined)
        continue
      }
      if (!holds(entries, last)) throw changedError(options.folder, last)
      const page = readPage(entries, last.position, end.position)
      last = lastOf(page, last.position)
      yield page
    }
  }

  return {
    append: async event => (await appendAll([event]))[0] as number,
    appendAll,
    read,
    check: async known => {
      if (meta.get('writer') !== writer) throw takenError(options.folder)
      return {
        epoch: end.position < firstPosition ? undefined : String(epoch),
        start: firstOf(entries) ?? firstPosition,
        end: end.position,
        known: compare(entries, known),
      }
    },
    // What was read was flushed, and nobody else writes.
    confirm: async known => {
      if (compare(entries, known) !== 'confirmed') throw changedError(options.folder, known)
    },
    trim: async (before, known) => {
      if (compare(entries, known) !== 'confirmed') throw changedError(options.folder, known)
      const last = Math.min(before, end.position)
      while (!closed.signal.aborted) {
        const positions = [...entries.getKeys({ end: last, limit: pageEntries })]
        if (positions.length === 0) return
        await root
          .childTransaction(() => {
            for (const position of positions) entries.removeSync(position)
          })
          .catch(settleCommit)
      }
    },
    keptSeconds: Number.POSITIVE_INFINITY,
    close: async () => {
      closed.abort()
      await queue.idle()
      await close()
    },
  }
}

const openIn = (root: RootDatabase) => ({
  meta: root.openDB<string | number, string>({ name: 'meta', encoding: 'json' }),
  entries: root.openDB<Buffer, number>({ name: 'entries', encoding: 'binary' }),
})

function writeError(folder: string, cause: Error) {
  const message = `eventLog.folder: ${folder} cannot be written (${cause.message}); nothing was stored; is the disk full?`
  return new RescindError('ERR_LOG_WRITE', message, { cause })
}

const takenError = (folder: string) =>
  new RescindError(
    'ERR_LOG_TAKEN',
    `eventLog.folder: another process now writes to ${folder}; nothing was stored`,
  )

function readEnd(entries: Database<Buffer, number>): LogPosition {
  const [last] = entries.getRange({ reverse: true, limit: 1 })
  return last === undefined ? beforeFirst : { position: last.key, digest: last.value.readBigUInt64BE(0) }
}

const following = (end: LogPosition, event: Uint8Array): LogPosition => ({
  position: Math.max(end.position + 1, firstPosition),
  digest: chainedDigest(end.digest, event),
})

/** To pass over a page that cannot be empty would be to lose entries. */
function lastOf(page: readonly LogEntry[], after: number): LogEntry {
  const last = page.at(-1)
  if (last === undefined)
    throw new Error(`the embedded log shows nothing after ${after}, which is not its end`)
  return last
}

const firstOf = (entries: Database<Buffer, number>): number | undefined =>
  [...entries.getKeys({ limit: 1 })][0]

function compare(entries: Database<Buffer, number>, known: LogPosition): Confirmation {
  if (known.position === beforeFirst.position) return 'confirmed'
  if (known.position > readEnd(entries).position) return 'ahead'
  if (known.position < (firstOf(entries) ?? firstPosition)) return 'trimmed'
  return holds(entries, known) ? 'confirmed' : 'different'
}

const holds = (entries: Database<Buffer, number>, { position, digest }: LogPosition): boolean =>
  position === beforeFirst.position || entries.get(position)?.readBigUInt64BE(0) === digest

const changedError = (folder: string, { position }: LogPosition) =>
  new RescindError(
    'ERR_LOG_ROLLED_BACK',
    `eventLog.folder: what ${folder} holds does not follow position ${position}`,
  )

function readPage(entries: Database<Buffer, number>, after: number, last: number): LogEntry[] {
  const page: LogEntry[] = []
  // The plain loop over the cursor: lmdb's own map and an array of its results take twice the time.
  for (const { key, value } of entries.getRange({ start: after + 1, end: last + 1, limit: pageEntries })) {
    page.push({ position: key, digest: value.readBigUInt64BE(0), event: value.subarray(digestBytes) })
  }
  return page
}
