/**
 * `rescind revoke <token>`: revokes a token through the admin API.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Confirmation } from '../../revoker/confirmation/confirmation.ts'
import { printable } from '../../runtime/printable.ts'
import { askAdminApi } from '../admin-api.ts'

/** Options of the command. */
export interface RevokeOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly reason?: string
  /** For how long enforcers are waited for; not at all if absent. */
  readonly wait?: number
  readonly json?: boolean
}

/** The answer of `POST /revocations`. */
interface RevocationAnswer {
  readonly id: string | null
  readonly version: number
  readonly match: Readonly<Record<string, unknown>>
  readonly expiresAt: number
  readonly confirmation?: Confirmation
}

/** The exit code when a revocation is stored and not known to be enforced by all enforcers. */
const pendingExitCode = 2

const inputLimitBytes = 16_384

/**
 * Revokes a token; `-` reads it from standard input, so that it stays out of the shell's history.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function revoke(argument: string, options: RevokeOptions): Promise<void> {
  const token = argument === '-' ? readFileSync(0, 'utf8').slice(0, inputLimitBytes).trim() : argument
  const body = { token, ...(options.reason === undefined ? {} : { reason: options.reason }) }
  const answer = await askAdminApi<RevocationAnswer>(
    options.server,
    'POST',
    '/revocations',
    body,
    options.wait,
  )
  process.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : describe(answer))
  if (options.wait !== undefined && answer.confirmation?.enforced !== true) process.exitCode = pendingExitCode
}

function describe(answer: RevocationAnswer): string {
  const what = Object.entries(answer.match)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
  const until = new Date(answer.expiresAt * 1000).toISOString()
  const already = answer.id === null ? ' (it was already)' : ''
  const lines = [`revoked${already}: ${what}`, `version ${answer.version}, kept until ${until}`]
  return [...lines, ...enforcedLines(answer.confirmation)].map(line => `${line}\n`).join('')
}

function enforcedLines(confirmation: Confirmation | undefined): string[] {
  if (confirmation === undefined) return []
  const { enforced, acked, enforcers, verified, reasons } = confirmation
  const who = `${acked} of ${enforcers} enforcers${verified ? '' : ', which are not known by certificates'}`
  if (enforced) return [`enforced by ${who}`]
  return [`NOT KNOWN TO BE ENFORCED: by ${who}`, ...reasons.map(reason => `  ${printable(reason)}`)]
}
