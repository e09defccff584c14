/**
 * Grants in LMDB, for one revoker process. What was stored is on disk; what has expired is removed in small steps.
 *
 * `grants` has each grant under its id, and its tokens beside it, under the id and their fingerprint; `tokens` has the id
 * of the grant under each fingerprint; `expiries` has, ordered by time, what can then be removed.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Database, RootDatabase } from 'lmdb'
import { openDataFolder } from '../../event-log/data-folder.ts'
import { settleCommit } from '../../event-log/lmdb-commit.ts'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import { decodeToken, encodeToken, latestSeconds, mergedToken } from './grant-records.ts'
import {
  type FoundToken,
  type Grant,
  type GrantReport,
  type GrantStore,
  type GrantStoreTimes,
  grantTokensLimit,
  idBytes,
  type ReportOutcome,
  type StoredToken,
} from './grant-store.ts'

/** Where the grants lie. */
export interface LmdbGrantsOptions extends GrantStoreTimes {
  readonly folder: string
  readonly logger: Logger
}

const setting = 'revoker.grants.folder'
const pruneEveryMs = 1_000
/** Most that one transaction removes. */
const pruneStep = 500

/** A grant as it is stored. */
interface StoredGrant extends Grant {
  /** It is revoked, and remembered at least so long, seconds. */
  readonly revokedUntil?: number
}

interface Databases {
  readonly grants: Database<Buffer, Buffer>
  readonly tokens: Database<Buffer, Buffer>
  /** Under the time (u32, big-endian) and an id: the grant of the token; empty if the id is that of a revoked grant. */
  readonly expiries: Database<Buffer, Buffer>
}

/**
 * Opens the store in a folder, which is created if it is not there.
 *
 * @throws RescindError ERR_DATA_FOLDER if the folder cannot be used, ERR_LOG_IN_USE if another process has it.
 */
export async function openLmdbGrants(options: LmdbGrantsOptions): Promise<GrantStore> {
  const { folder, logger } = options
  const { root, databases, close } = await openDataFolder(folder, setting, openIn)
  const { grants, tokens } = databases
  const steps = createSteps(databases, options)
  const write = <Result>(step: () => Result): Promise<Result> =>
    root
      // A child transaction is undone as a whole when something in it fails.
      .childTransaction(step)
      .catch(settleCommit)
      .catch(error => {
        throw unavailable(folder, error)
      })
  const closing = new AbortController()
  const pruning = keepPruning(() => write(steps.prune), closing.signal, logger)
  return {
    find: async fingerprints => fingerprints.map(steps.find).find(found => found !== undefined),
    add: report => write(() => steps.add(report)),
    revoke: (found, until) => write(() => steps.revoke(found, until)),
    size: () => entriesOf(grants) - entriesOf(tokens),
    close: async () => {
      closing.abort()
      await pruning
      await close()
    },
  }
}

function openIn(root: RootDatabase): Databases {
  const openOne = (name: string): Database<Buffer, Buffer> =>
    root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' })
  return { grants: openOne('grants'), tokens: openOne('tokens'), expiries: openOne('expiries') }
}

/** What is done in one transaction each, or reads. */
function createSteps({ grants, tokens, expiries }: Databases, options: GrantStoreTimes) {
  const { graceSeconds, nowSeconds } = options
  const keptUntil = (expiresAt: number): number =>
    Math.min(latestSeconds, Math.ceil(expiresAt + graceSeconds))
  const isLive = ({ expiresAt }: StoredToken): boolean => keptUntil(expiresAt) > nowSeconds()

  const readGrant = (grantId: Buffer): StoredGrant | undefined => {
    const bytes = grants.get(grantId)
    return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as StoredGrant)
  }
  const writeGrant = (grantId: Buffer, grant: StoredGrant): void =>
    grants.putSync(grantId, Buffer.from(JSON.stringify(grant)))

  const readToken = (grantId: Buffer, fingerprint: Buffer): StoredToken | undefined => {
    const bytes = grants.get(memberKey(grantId, fingerprint))
    return bytes === undefined ? undefined : decodeToken(bytes)
  }

  const find = (fingerprint: Buffer): FoundToken | undefined => {
    const grantId = tokens.get(fingerprint)
    if (grantId === undefined) return undefined
    const [grant, token] = [readGrant(grantId), readToken(grantId, fingerprint)]
    if (grant === undefined || token === undefined || !isLive(token)) return undefined
    return { grantId, grant, fingerprint, token }
  }

  const writeToken = (grantId: Buffer, fingerprint: Buffer, token: StoredToken): void => {
    const known = readToken(grantId, fingerprint)
    const written = known === undefined ? token : mergedToken(known, token)
    expiries.putSync(expiryKey(keptUntil(written.expiresAt), fingerprint), grantId)
    tokens.putSync(fingerprint, grantId)
    grants.putSync(memberKey(grantId, fingerprint), encodeToken(written))
  }

  const refusal = (report: GrantReport, known: StoredGrant | undefined): ReportOutcome | undefined => {
    const { grantId, grant } = report
    if (known !== undefined && (known.issuer !== grant.issuer || known.clientId !== grant.clientId))
      return 'other-client'
    const owners = report.tokens.map(({ fingerprint }) => tokens.get(fingerprint))
    const isOthers = owners.some(owner => owner !== undefined && !owner.equals(grantId))
    return isOthers ? 'other-grant' : undefined
  }

  const remove = (grantId: Buffer, fingerprint: Buffer): void => {
    tokens.removeSync(fingerprint)
    grants.removeSync(memberKey(grantId, fingerprint))
  }

  /** In a full grant the refresh tokens that expire first go: of those that were rotated the last ones are of use. */
  const makeRoom = (report: GrantReport): boolean => {
    const added = report.tokens.filter(({ fingerprint }) => tokens.get(fingerprint) === undefined)
    const excess = grants.getKeysCount(membersOf(report.grantId)) + added.length - grantTokensLimit
    if (excess <= 0) return true
    const oldest = [...grants.getRange(membersOf(report.grantId))]
      .map(({ key, value }) => ({ fingerprint: key.subarray(-idBytes), ...decodeToken(value) }))
      .filter(({ form, fingerprint }) => form === 'refresh' && !isIn(report, fingerprint))
      .sort((one, other) => one.expiresAt - other.expiresAt)
      .slice(0, excess)
    if (oldest.length < excess) return false
    for (const { fingerprint } of oldest) remove(report.grantId, fingerprint)
    return true
  }

  /** It may live longer than was known when it was first stored. */
  const removeUnlessLive = (grantId: Buffer, fingerprint: Buffer): void => {
    const token = readToken(grantId, fingerprint)
    if (token === undefined) return
    if (isLive(token)) {
      expiries.putSync(expiryKey(keptUntil(token.expiresAt), fingerprint), grantId)
      return
    }
    remove(grantId, fingerprint)
  }

  /** Whether a grant has neither tokens nor a mark that counts. */
  const isOver = (grantId: Buffer): boolean =>
    (readGrant(grantId)?.revokedUntil ?? 0) <= nowSeconds() &&
    grants.getKeysCount({ ...membersOf(grantId), limit: 1 }) === 0

  return {
    find,
    add: (report: GrantReport): ReportOutcome => {
      const { grantId, grant } = report
      const known = readGrant(grantId)
      const refused = refusal(report, known)
      if (refused !== undefined) return refused
      if (!makeRoom(report)) return 'too-many-tokens'
      writeGrant(grantId, { ...known, ...grant })
      for (const { fingerprint, token } of report.tokens) writeToken(grantId, fingerprint, token)
      return known?.revokedUntil === undefined ? 'stored' : 'stored-revoked'
    },
    revoke: ({ grantId, grant }: FoundToken, until: number): readonly StoredToken[] => {
      const known = readGrant(grantId) ?? grant
      const revokedUntil = Math.min(latestSeconds, Math.max(Math.ceil(until), revokedUntilOf(known)))
      writeGrant(grantId, { ...known, revokedUntil })
      expiries.putSync(expiryKey(revokedUntil, grantId), Buffer.alloc(0))
      const members = [...grants.getRange(membersOf(grantId))]
      return members.map(({ value }) => decodeToken(value)).filter(isLive)
    },
    /** Returns how much was due; there may be more. */
    prune: (): number => {
      const end = expiryKey(Math.min(latestSeconds, Math.floor(nowSeconds()) + 1), Buffer.alloc(0))
      const due = [...expiries.getRange({ end, limit: pruneStep })]
      for (const { key, value } of due) {
        const id = key.subarray(-idBytes)
        const grantId = value.length === 0 ? id : value
        expiries.removeSync(key)
        removeUnlessLive(grantId, id)
        if (isOver(grantId)) grants.removeSync(grantId)
      }
      return due.length
    },
  }
}

const revokedUntilOf = ({ revokedUntil = 0 }: StoredGrant): number => revokedUntil

const isIn = ({ tokens }: GrantReport, fingerprint: Buffer): boolean =>
  tokens.some(token => token.fingerprint.equals(fingerprint))

const memberKey = (grantId: Buffer, fingerprint: Buffer): Buffer => Buffer.concat([grantId, fingerprint])

/** The range of a grant's tokens; the grant itself, whose key is shorter, comes before it. */
const membersOf = (grantId: Buffer) => ({
  start: memberKey(grantId, Buffer.alloc(1)),
  end: memberKey(grantId, Buffer.alloc(idBytes + 1, 0xff)),
})

function expiryKey(seconds: number, id: Buffer): Buffer {
  const time = Buffer.allocUnsafe(4)
  time.writeUInt32BE(seconds)
  return Buffer.concat([time, id])
}

const entriesOf = (database: Database<Buffer, Buffer>): number =>
  (database.getStats() as { readonly entryCount: number }).entryCount

/** Removes what has expired, in steps between which others get their turn, until it is aborted. */
async function keepPruning(prune: () => Promise<number>, signal: AbortSignal, logger: Logger): Promise<void> {
  let failed = false
  while (!signal.aborted) {
    try {
      const removed = await prune()
      failed = false
      if (removed === pruneStep) continue
    } catch (error) {
      if (!failed) logger.error({ err: error }, 'expired grants cannot be removed; trying again')
      failed = true
    }
    await delay(pruneEveryMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

const unavailable = (folder: string, cause: Error) =>
  new RescindError(
    'ERR_GRANTS_UNAVAILABLE',
    `${setting}: ${folder} cannot be written (${cause.message}); nothing was stored; is the disk full?`,
    { cause },
  )
