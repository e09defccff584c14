/**
 * `rescind events --follow` and `rescind events rejected`, through the admin API.
 *
 * @module
 */
import type { DeadLetter } from '../../event-log/dead-letters.ts'
import { RescindError } from '../../revocation/error.ts'
import { printable } from '../../runtime/printable.ts'
import { askAdminApi, openEventStream } from '../admin-api.ts'
import { claimsText, timeText } from '../claims.ts'
import { eventData } from '../event-stream.ts'
import { printJson, printLines } from '../printing.ts'
import { tableLines } from '../table.ts'

/** Options of `events rejected`. */
export interface RejectedEventsOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly json?: boolean
}

/** Options of `events`. */
export interface EventsOptions extends RejectedEventsOptions {
  readonly follow?: boolean
}

/** The answer of `GET /events/rejected`. */
interface RejectedEvents {
  /** Those that are no longer listed included. */
  readonly total: number
  readonly events: readonly DeadLetter[]
}

/** The data of an event of `GET /events`. */
interface LogEventShown {
  readonly version: number
  readonly kind: string
  readonly id?: string
  readonly match?: Readonly<Record<string, unknown>>
  readonly issuedBefore?: number
  readonly expiresAt?: number
  readonly names?: readonly string[]
  readonly cut?: boolean
  readonly actor?: string
  readonly reason?: string
}

/**
 * Prints what is appended to the log from now on, until the process or the revoker is stopped: a line for each, or JSON as
 * it comes.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, that it cannot be reached, or that it ended.
 */
export async function followEvents({ server, follow, json }: EventsOptions): Promise<void> {
  if (follow !== true) {
    throw new RescindError('ERR_REQUEST_INVALID', 'events: give --follow, or the command rejected')
  }
  const stream = await openEventStream(server, '/events')
  try {
    for await (const data of eventData(stream as unknown as AsyncIterable<Uint8Array>)) {
      const event = JSON.parse(data) as LogEventShown
      if (json === true) printJson(event)
      else printLines([lineOf(event)])
    }
  } catch (error) {
    if (error instanceof RescindError) throw error
  }
  throw new RescindError(
    'ERR_REQUEST_FAILED',
    `the revoker at ${server} ended; events after this are not shown`,
  )
}

function lineOf(event: LogEventShown): string {
  const { version, kind, id, match, issuedBefore, expiresAt, names, actor, reason } = event
  const parts = [
    `${version} ${printable(kind)}`,
    match === undefined ? undefined : claimsText(match),
    names?.map(printable).join(' + '),
    event.cut === undefined ? undefined : event.cut ? 'cut' : 'block',
    issuedBefore === undefined ? undefined : `issued until ${timeText(issuedBefore)}`,
    kind !== 'revocation' || expiresAt === undefined ? undefined : `until ${timeText(expiresAt)}`,
    actor === undefined ? undefined : `by ${printable(actor)}`,
    reason === undefined ? undefined : `(${printable(reason)})`,
    id === undefined ? undefined : `id ${printable(id)}`,
  ]
  return parts.filter(part => part !== undefined).join(' ')
}

/**
 * Prints the last rejected events.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function rejectedEvents({ server, json }: RejectedEventsOptions): Promise<void> {
  const answer = await askAdminApi<RejectedEvents>(server, { method: 'GET', path: '/events/rejected' })
  if (json === true) printJson(answer)
  else printLines(describe(answer))
}

function describe({ total, events }: RejectedEvents): string[] {
  if (total === 0) return ['no events were rejected']
  const rows = events.map(({ at, source, position, bytes, sha256, problem }) => [
    timeText(at),
    source,
    position,
    String(bytes ?? '-'),
    sha256?.slice(0, 16) ?? '-',
    problem,
  ])
  const lines = tableLines(['time', 'source', 'position', 'bytes', 'sha256', 'problem'], rows)
  return [...lines, ...(total > events.length ? [`the last ${events.length} of ${total}`] : [])]
}
