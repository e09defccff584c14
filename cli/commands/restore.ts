/**
 * `rescind restore`: takes a revocation back through the admin API.
 *
 * @module
 */
import type { HeldAnswer } from '../../revoker/admin/held-answer.ts'
import { startupErrorText } from '../../runtime/shutdown.ts'
import { AdminApiError, askAdminApi } from '../admin-api.ts'
import { timeText } from '../claims.ts'
import { type ConfirmedAnswer, confirmationLines, endByConfirmation, waitHeaders } from '../enforced.ts'
import { exitCodes } from '../exit-codes.ts'
import { heldLines } from '../held-lines.ts'
import { printJson, printLines } from '../printing.ts'

/** Options of the command. */
export interface RestoreOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly reason?: string
  /** Seconds. */
  readonly wait?: number
  readonly json?: boolean
}

/** The answer of `DELETE /revocations/{id}`. */
interface RestoreAnswer extends ConfirmedAnswer {
  readonly version: number
  readonly expiresAt: number
  readonly already: boolean
  readonly stillRejecting: readonly HeldAnswer[]
  readonly searched: 'claims' | 'key'
}

/**
 * Restores; says what still rejects. Ends with 3 if there is no such revocation, with 2 if enforcers were waited for and
 * not all have it.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function restore(id: string, options: RestoreOptions): Promise<void> {
  const query = options.reason === undefined ? '' : `?${new URLSearchParams({ reason: options.reason })}`
  const path = `/revocations/${encodeURIComponent(id)}${query}`
  const request = { method: 'DELETE', path, headers: waitHeaders(options) } as const
  try {
    const answer = await askAdminApi<RestoreAnswer>(options.server, request, options.wait)
    if (options.json === true) printJson(answer)
    else printLines([...describe(answer), ...confirmationLines(answer, options)])
    endByConfirmation(answer, options)
  } catch (error) {
    if (!(error instanceof AdminApiError) || error.problemCode !== 'ERR_REVOCATION_UNKNOWN') throw error
    process.stderr.write(`${startupErrorText(error)}\n`)
    process.exitCode = exitCodes.notFound
  }
}

function describe({ version, expiresAt, already, stillRejecting, searched }: RestoreAnswer): string[] {
  const others = stillRejecting.flatMap(heldLines)
  return [
    `restored${already ? ' (it was already)' : ''}; it would have expired at ${timeText(expiresAt)}`,
    `version ${version}`,
    ...(others.length > 0
      ? ['what else still rejects the same tokens:', ...others]
      : [nothingElse[searched]]),
  ]
}

const nothingElse = {
  claims:
    'nothing else of the same claims rejects them; revocations of other claims of a token: rescind explain',
  key: 'nothing else of exactly these claims rejects them; for all that rejects a token: rescind explain',
}
