/**
 * `rescind events rejected`: the events that could not be used, through the admin API.
 *
 * @module
 */
import type { DeadLetter } from '../../event-log/dead-letters.ts'
import { askAdminApi } from '../admin-api.ts'
import { tableLines } from '../table.ts'

/** Options of the command. */
export interface RejectedEventsOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly json?: boolean
}

/** The answer of `GET /events/rejected`. */
interface RejectedEvents {
  /** Those that are no longer listed included. */
  readonly total: number
  readonly events: readonly DeadLetter[]
}

/**
 * Prints the last rejected events.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function rejectedEvents(options: RejectedEventsOptions): Promise<void> {
  const answer = await askAdminApi<RejectedEvents>(options.server, 'GET', '/events/rejected')
  process.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : describe(answer))
}

function describe({ total, events }: RejectedEvents): string {
  if (total === 0) return 'no events were rejected\n'
  const rows = events.map(({ at, source, position, bytes, sha256, problem }) => [
    new Date(at * 1000).toISOString().replace('.000', ''),
    source,
    position,
    String(bytes ?? '-'),
    sha256?.slice(0, 16) ?? '-',
    problem,
  ])
  const lines = tableLines(['time', 'source', 'position', 'bytes', 'sha256', 'problem'], rows)
  const more = total > events.length ? [`the last ${events.length} of ${total}`] : []
  return [...lines, ...more].map(line => `${line}\n`).join('')
}
