/**
 * Asks the admin API of a revoker, as the administrator whose token the environment holds.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../revocation/error.ts'

const answerLimitMs = 15_000

/**
 * Sends a request and gives the answer's JSON, which is not checked.
 *
 * @param server base URL of the revoker.
 * @param waitSeconds for how long enforcers are waited for (`Prefer: wait`).
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached.
 */
export async function askAdminApi<Answer>(
  server: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  waitSeconds?: number,
): Promise<Answer> {
  const token = adminToken(process.env)
  const response = await fetch(endpoint(server, path), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(answerLimitMs + (waitSeconds ?? 0) * 1_000),
  }).catch((error: Error) => {
    const cause = (error.cause as Error | undefined)?.message ?? error.message
    throw failed(`the revoker at ${server} cannot be reached (${cause}); name another one with --server`)
  })
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as Answer
  const detail = (answer as { detail?: string } | undefined)?.detail ?? response.statusText
  throw failed(`the revoker at ${server} answered ${response.status}: ${detail}`)
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

function endpoint(server: string, path: string): URL {
  if (URL.canParse(path, server)) return new URL(path, server)
  throw failed(`--server: ${server} is not a URL such as http://127.0.0.1:8280`)
}

const failed = (message: string) => new RescindError('ERR_REQUEST_FAILED', message)
