/**
 * `rescind revoke <token>`: revokes a token through the admin API.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { askAdminApi } from '../admin-api.ts'

/** Options of the command. */
export interface RevokeOptions {
  /** Base URL of the revoker. */
  readonly server: string
  readonly reason?: string
  readonly json?: boolean
}

/** The answer of `POST /revocations`. */
interface RevocationAnswer {
  readonly id: string | null
  readonly version: number
  readonly match: Readonly<Record<string, unknown>>
  readonly expiresAt: number
}

const inputLimitBytes = 16_384

/**
 * Revokes a token; `-` reads it from standard input, so that it stays out of the shell's history.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function revoke(argument: string, options: RevokeOptions): Promise<void> {
  const token = argument === '-' ? readFileSync(0, 'utf8').slice(0, inputLimitBytes).trim() : argument
  const body = { token, ...(options.reason === undefined ? {} : { reason: options.reason }) }
  const answer = await askAdminApi<RevocationAnswer>(options.server, 'POST', '/revocations', body)
  process.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : describe(answer))
}

function describe(answer: RevocationAnswer): string {
  const what = Object.entries(answer.match)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
  const until = new Date(answer.expiresAt * 1000).toISOString()
  const already = answer.id === null ? ' (it was already)' : ''
  return `revoked${already}: ${what}\nversion ${answer.version}, kept until ${until}\n`
}
