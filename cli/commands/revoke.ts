/**
 * `rescind revoke <token>`: revokes a token through the admin API.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../../revocation/error.ts'

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

const answerLimitMs = 15_000
const inputLimitBytes = 16_384

/**
 * Revokes a token; `-` reads it from standard input, so that it stays out of the shell's history.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function revoke(argument: string, options: RevokeOptions): Promise<void> {
  const token = argument === '-' ? readFileSync(0, 'utf8').slice(0, inputLimitBytes).trim() : argument
  const answer = await post(options.server, adminToken(process.env), {
    token,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  })
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

function adminToken(env: NodeJS.ProcessEnv): string {
  if (env.RESCIND_ADMIN_TOKEN) return env.RESCIND_ADMIN_TOKEN
  if (env.RESCIND_ADMIN_TOKEN_FILE) return fileText(env.RESCIND_ADMIN_TOKEN_FILE)
  throw failed('set RESCIND_ADMIN_TOKEN or RESCIND_ADMIN_TOKEN_FILE to a token of revoker.admin.tokens')
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw failed(
      `RESCIND_ADMIN_TOKEN_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

function endpoint(server: string): URL {
  if (URL.canParse('/revocations', server)) return new URL('/revocations', server)
  throw failed(`--server: ${server} is not a URL such as http://127.0.0.1:8280`)
}

async function post(server: string, token: string, body: object): Promise<RevocationAnswer> {
  const response = await fetch(endpoint(server), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(answerLimitMs),
  }).catch((error: Error) => {
    const cause = (error.cause as Error | undefined)?.message ?? error.message
    throw failed(`the revoker at ${server} cannot be reached (${cause}); name another one with --server`)
  })
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as RevocationAnswer
  const detail = (answer as { detail?: string } | undefined)?.detail ?? response.statusText
  throw failed(`the revoker at ${server} answered ${response.status}: ${detail}`)
}

const failed = (message: string) => new RescindError('ERR_REQUEST_FAILED', message)
