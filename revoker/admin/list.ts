/**
 * `GET /revocations` of the admin API: what the log holds of revocations, page by page, in the order of the log. Texts are
 * in the log alone, so it is read anew each time, for a bounded time.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { EventLog, LogEntry, LogPosition } from '../../event-log/event-log.ts'
import type { LogFollower } from '../../event-log/follow.ts'
import { RescindError } from '../../revocation/error.ts'
import type { EventCodec } from '../../revocation/formats/rescind.ts'
import type { LogEvent } from '../../revocation/revocation.ts'
import { createGate } from '../../token/gate.ts'
import { readToEnd } from '../log-end.ts'
import { answers, matchClaims, revocationId, seconds, version } from './fields.ts'
import { cursorOf, placeOf } from './list-cursor.ts'
import { type ListFilter, listFilter, matchesFilter, readFilter } from './list-filter.ts'
import { type ListedRevocation, listedRevocation } from './listed-revocation.ts'

/** What the route works on. */
export interface ListOptions {
  readonly log: EventLog
  readonly follower: LogFollower
  readonly codec: EventCodec
  /** What expired until then rejects nothing any more, seconds. */
  readonly liveAfter: () => number
}

/** Limits of one request. */
const limits = {
  /** From the first entry on; the driver may take its time to get there. */
  readMs: 1_000,
  firstEntryMs: 15_000,
  entries: 100_000,
  /** Of the events that are told of. */
  bytes: 2 ** 20,
  items: 1_000,
} as const
const defaultItems = 100
const readersLimit = 2
const waitingLimit = 16

const query = Type.Object(
  {
    ...listFilter,
    limit: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,3}$',
        description: `At most so many; 1 to ${limits.items}, default ${defaultItems}.`,
      }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 100, description: 'Where the page before this one ended.' }),
    ),
  },
  { additionalProperties: false },
)

const listed = Type.Object({
  revocations: Type.Array(
    Type.Object({
      id: revocationId,
      state: Type.Enum(['live', 'merged', 'restored', 'expired'], {
        description:
          'merged: it is in force, but more than 64 of the same claims are, and it cannot be restored alone.',
      }),
      key: Type.String({ description: 'The key that enforcers look up, 32 hex digits.' }),
      match: matchClaims,
      issuedBefore: Type.Optional(seconds('Tokens issued until then are rejected; absent: whenever issued.')),
      expiresAt: seconds('Until then it is enforced, seconds since 1970.'),
      revokedAt: seconds('When it was made, seconds since 1970.'),
      tokenType: Type.Optional(Type.String()),
      reason: Type.Optional(Type.String()),
      actor: Type.Optional(Type.String({ description: 'Who made it.' })),
      version,
    }),
  ),
  complete: Type.Boolean({ description: 'The end of the log was reached; else go on with cursor.' }),
  cursor: Type.Optional(Type.String({ description: 'Where to go on.' })),
})

/** Adds the route to a server. */
export function addList(server: FastifyInstance, options: ListOptions): void {
  const gate = createGate(readersLimit, waitingLimit)
  server.get<{ Querystring: Static<typeof query> }>(
    '/revocations',
    {
      schema: {
        operationId: 'list',
        summary: 'List revocations',
        querystring: query,
        response: answers({ 200: listed }),
      },
    },
    ({ query: { cursor, limit, ...filter } }) =>
      gate.run(() => listPage(placeOf(cursor), readFilter(filter), Number(limit ?? defaultItems), options)),
  )
}

/** A page, and where it ended. */
interface Page {
  readonly revocations: ListedRevocation[]
  readonly complete: boolean
  readonly cursor?: string
}

async function listPage(
  from: LogPosition,
  filter: ListFilter,
  itemsLimit: number,
  options: ListOptions,
): Promise<Page> {
  const { log, follower } = options
  await readToEnd({ log, follower })
  const { restarts } = follower
  // Asked anew at each entry: what trimming copies while this reads is shown where its copy is, behind what was the end.
  const isEnd = ({ position }: LogPosition) => position >= follower.state.position
  if (isEnd(from)) {
    checkCursor(from, options)
    return { revocations: [], complete: true }
  }
  /** By id: of one that trimming copied meanwhile, the copy. */
  const found = new Map<string, ListedRevocation>()
  const page = () => [...found.values()]
  const budget = createBudget(Math.min(itemsLimit, limits.items))
  try {
    let last = from
    for await (const entry of entriesAfter(log, from, budget.signal)) {
      if (follower.restarts !== restarts) throw changedMeanwhile()
      const revocation = listedEntry(entry, filter, options)
      if (revocation !== undefined) {
        found.delete(revocation.id)
        found.set(revocation.id, revocation)
      }
      last = entry
      if (isEnd(entry)) return { revocations: page(), complete: true }
      if (budget.isSpent(revocation === undefined ? 0 : entry.event.length)) break
    }
    if (last === from) throw new RescindError('ERR_LOG_UNREACHABLE', 'the event log did not answer in time')
    return { revocations: page(), complete: false, cursor: cursorOf(last) }
  } finally {
    budget.close()
  }
}

/** Where reading finds nothing, it does not find out either whether the cursor is of this log. */
function checkCursor({ position, digest }: LogPosition, { follower: { state } }: ListOptions): void {
  if (position >= 0 && state.confirm(position, digest) !== 'confirmed') throw invalidCursor()
}

/** One by one; a reader that leaves ends the reading. */
async function* entriesAfter(
  log: EventLog,
  from: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  let last = from
  try {
    for await (const page of log.read(from, signal)) {
      for (const entry of page) {
        last = entry
        yield entry
      }
      // Others have their turn between two pages.
      await new Promise(setImmediate)
    }
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'ERR_LOG_ROLLED_BACK') throw error
    throw last === from && from.position >= 0 ? invalidCursor() : changedMeanwhile()
  }
}

/** What a request may still take. */
function createBudget(itemsLimit: number) {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), limits.firstEntryMs)
  let [entries, items, bytes] = [0, 0, 0]
  let startedAtMs: number | undefined
  return {
    signal: stop.signal,
    /** Counts an entry, and how many bytes of it are told. */
    isSpent(toldBytes: number): boolean {
      startedAtMs ??= performance.now()
      entries += 1
      bytes += toldBytes
      if (toldBytes > 0) items += 1
      const isOver = performance.now() - startedAtMs >= limits.readMs
      return isOver || entries >= limits.entries || items >= itemsLimit || bytes >= limits.bytes
    },
    close: () => {
      clearTimeout(timer)
      stop.abort()
    },
  }
}

function listedEntry(
  { position, event }: LogEntry,
  filter: ListFilter,
  { codec, follower, liveAfter }: ListOptions,
): ListedRevocation | undefined {
  const decoded = decodedBy(codec, event)
  if (decoded?.kind !== 'revocation' || !matchesFilter(decoded, filter)) return undefined
  const listed = listedRevocation(follower.state, decoded, position, liveAfter())
  const isAsked = filter.all || listed?.state === 'live' || listed?.state === 'merged'
  return isAsked ? listed : undefined
}

/** What cannot be read is a dead letter, which is listed elsewhere. */
function decodedBy(codec: EventCodec, event: Uint8Array): LogEvent | undefined {
  try {
    return codec.decode(event)
  } catch (error) {
    if (error instanceof RescindError) return undefined
    throw error
  }
}

const changedMeanwhile = () =>
  new RescindError(
    'ERR_LOG_BEHIND',
    'the event log changed while it was read (it was trimmed, or is another one); try again',
  )

const invalidCursor = () =>
  new RescindError(
    'ERR_CURSOR_INVALID',
    'cursor: the log does not hold this place (any more); begin without one',
  )
