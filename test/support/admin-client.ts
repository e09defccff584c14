/**
 * Asks the admin API of a revoker, as an administrator or as anybody.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { adminToken } from './stack.ts'

/** An answer; its JSON is not checked. */
export interface AdminResponse {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test that reads what is not there fails.
  readonly body: any
}

/** Sends requests to one revoker. */
export interface AdminClient {
  readonly url: string
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<AdminResponse>
  /** Fails with the answer unless it is a success; gives its body. */
  do(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<AdminResponse['body']>
}

/** A client with the administrator's token, unless another one (or undefined: none) is given. */
export function createAdminClient(
  url: string,
  authorization: string | undefined = `Bearer ${adminToken}`,
): AdminClient {
  const ask: AdminClient['ask'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  return {
    url,
    ask,
    async do(...request) {
      const answer = await ask(...request)
      assert.ok(answer.status < 300, `${request[0]} ${request[1]}: ${JSON.stringify(answer.body)}`)
      return answer.body
    },
  }
}

/** Fails unless an answer is a problem with this status and code, as RFC 9457 has it. */
export function assertProblem(
  { status, headers, body }: AdminResponse,
  expected: number,
  code: string,
): void {
  assert.deepEqual([status, body.status, body.code], [expected, expected, code], JSON.stringify(body))
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json\b/)
}
