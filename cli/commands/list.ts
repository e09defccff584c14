/**
 * `rescind list`: the revocations of the log, through the admin API.
 *
 * @module
 */
import type { ListedRevocation } from '../../revoker/admin/listed-revocation.ts'
import { askAdminApi } from '../admin-api.ts'
import { type ClaimOptions, claimsOf, claimsText, secondsOf, timeText } from '../claims.ts'
import { printJson, printLines } from '../printing.ts'
import { tableLines } from '../table.ts'

/** Options of the command. */
export interface ListOptions extends ClaimOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly since?: string
  readonly until?: string
  readonly actor?: string
  /** Also restored and expired ones. */
  readonly all?: boolean
  /** At most so many. */
  readonly limit?: number
  readonly json?: boolean
}

/** The answer of `GET /revocations`. */
interface ListAnswer {
  readonly revocations: readonly ListedRevocation[]
  readonly complete: boolean
  readonly cursor?: string
}

const pageItems = 1_000

/**
 * Prints the revocations in the order of the log, page after page: a table, or a line of JSON for each.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function list(options: ListOptions): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY } = options
  const query = queryOf(options)
  let shown = 0
  let complete = false
  while (!complete && shown < limit) {
    query.set('limit', String(Math.min(pageItems, limit - shown)))
    const answer = await askAdminApi<ListAnswer>(options.server, {
      method: 'GET',
      path: `/revocations?${query}`,
    })
    if (options.json === true) for (const revocation of answer.revocations) printJson(revocation)
    else printLines(rowsOf(answer.revocations, shown === 0))
    shown += answer.revocations.length
    complete = answer.complete
    if (answer.cursor !== undefined) query.set('cursor', answer.cursor)
  }
  if (options.json !== true && shown === 0) printLines(['there are no such revocations'])
}

function queryOf({ since, until, actor, all, ...claims }: ListOptions): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(claimsOf(claims))) query.append('claim', `${name}=${value}`)
  if (since !== undefined) query.set('since', String(secondsOf(since, '--since')))
  if (until !== undefined) query.set('until', String(secondsOf(until, '--until')))
  if (actor !== undefined) query.set('actor', actor)
  if (all === true) query.set('state', 'all')
  return query
}

const head = ['revoked at', 'until', 'state', 'claims', 'issued until', 'by', 'reason', 'id']

function rowsOf(revocations: readonly ListedRevocation[], isFirst: boolean): string[] {
  if (revocations.length === 0) return []
  const lines = tableLines(
    head,
    revocations.map(({ revokedAt, expiresAt, state, match, issuedBefore, actor, reason, id }) => [
      timeText(revokedAt),
      timeText(expiresAt),
      state,
      claimsText(match),
      issuedBefore === undefined ? '-' : timeText(issuedBefore),
      actor ?? '-',
      reason ?? '-',
      id,
    ]),
  )
  return isFirst ? lines : lines.slice(1)
}
