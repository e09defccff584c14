/**
 * Asks the admin API of a revoker, as the administrator whose token the environment holds.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { RescindError } from '../revocation/error.ts'
import { isLoopbackHost } from '../runtime/config/loopback.ts'
import { printable } from '../runtime/printable.ts'

const answerLimitMs = 30_000

/** A request to the admin API. */
export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** The revoker refused; `problemCode` is its code, if it named one. */
export class AdminApiError extends RescindError {
  readonly problemCode: string | undefined

  constructor(message: string, problemCode: string | undefined) {
    super('ERR_REQUEST_FAILED', message)
    this.problemCode = problemCode
  }
}

/**
 * Sends a request and gives the answer's JSON, which is not checked.
 *
 * @param server base URL of the revoker.
 * @param waitSeconds how much longer the answer may take, because it waits for enforcers.
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said (AdminApiError), or that it cannot be reached.
 */
export async function askAdminApi<Answer>(
  server: string,
  request: AdminRequest,
  waitSeconds = 0,
): Promise<Answer> {
  const signal = AbortSignal.timeout(answerLimitMs + waitSeconds * 1_000)
  const response = await send(server, request, signal)
  return (await response.json().catch(() => undefined)) as Answer
}

/**
 * Opens a stream of server-sent events, which goes on until the revoker ends it.
 *
 * @throws RescindError as {@link askAdminApi}.
 */
export async function openEventStream(server: string, path: string): Promise<ReadableStream<Uint8Array>> {
  const { body } = await send(server, { method: 'GET', path }, new AbortController().signal)
  if (body === null) throw failed(`the revoker at ${server} answered without a body`)
  return body
}

/** What to tell people before the administrator's token leaves the machine in the clear; undefined if it does not. */
export function plainServerWarning(server: string): string | undefined {
  if (!URL.canParse(server)) return undefined
  const { protocol, hostname, host } = new URL(server)
  if (protocol !== 'http:' || isLoopbackHost(hostname)) return undefined
  return `the administrator's token goes to ${host} without encryption; use https`
}

async function send(
  server: string,
  { method, path, body, headers }: AdminRequest,
  signal: AbortSignal,
): Promise<Response> {
  const token = adminToken(process.env)
  const response = await fetch(endpoint(server, path), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal,
  }).catch((error: Error) => {
    const cause = (error.cause as Error | undefined)?.message ?? error.message
    throw failed(`the revoker at ${server} cannot be reached (${cause}); name another one with --server`)
  })
  if (response.ok) return response
  const problem = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined
  const detail = printable(String(problem?.detail ?? response.statusText))
  const code = typeof problem?.code === 'string' ? printable(problem.code) : undefined
  throw new AdminApiError(`the revoker at ${server} answered ${response.status}: ${detail}`, code)
}

function adminToken(env: NodeJS.ProcessEnv): string {
  const { RESCIND_ADMIN_TOKEN: text, RESCIND_ADMIN_TOKEN_FILE: file } = env
  const token = text || (file ? fileText(file) : undefined)
  if (token !== undefined) {
    // An error of the request would show it.
    if (/^[\x21-\x7e]+$/.test(token)) return token
    throw failed(`RESCIND_ADMIN_TOKEN${text ? '' : '_FILE'}: must be one line without spaces`)
  }
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
  const text = `${server.replace(/\/+$/, '')}${path}`
  if (/^https?:\/\//i.test(server) && URL.canParse(text)) return new URL(text)
  throw failed(`--server: ${server} is not a URL such as http://127.0.0.1:8280`)
}

const failed = (message: string) => new RescindError('ERR_REQUEST_FAILED', message)
