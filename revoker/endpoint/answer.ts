/**
 * What the revocation endpoint answers, as WSO2's does: an empty 200, or an OAuth error (RFC 6749 section 5.2, RFC 7009
 * section 2.2).
 *
 * @module
 */
import type { Publication } from '../publisher.ts'

/** What became of a request; a label of the metric. */
export type Outcome =
  | 'revoked'
  /** A token that nobody knows here: nothing to revoke. */
  | 'unknown'
  /** Another client's token. */
  | 'foreign'
  | 'unauthenticated'
  | 'limited'
  | 'invalid'
  | 'unavailable'
  /** The identity provider refused (relay). */
  | 'refused'

/** An answer. */
export interface Answer {
  readonly outcome: Outcome
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string | Buffer
  /** What was published; who asks for it waits until enforcers have it. */
  readonly publication?: Publication | undefined
}

/** An OAuth error. */
export interface OAuthError {
  readonly outcome: Outcome
  readonly status: number
  readonly error: 'invalid_request' | 'invalid_client' | 'temporarily_unavailable'
  readonly description: string
  /** Seconds. */
  readonly retryAfter?: number
}

/** An answer without a body. */
export const succeeded = (
  outcome: Outcome,
  headers: Readonly<Record<string, string>> = {},
  publication?: Publication,
): Answer => ({
  outcome,
  status: 200,
  headers: { 'Content-Type': 'text/html', ...headers },
  body: '',
  publication,
})

/** The answer that an error is. @param challenge the Authorization header was used: its scheme is named. */
export function refused({ outcome, status, ...problem }: OAuthError, challenge = false): Answer {
  const { error, description, retryAfter } = problem
  return {
    outcome,
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      ...(challenge && status === 401 ? { 'WWW-Authenticate': 'Basic realm="rescind"' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify({ error_description: description, error }),
  }
}

/** A request that is wrong in itself. */
export const badRequest = (description: string, status = 400): OAuthError => ({
  outcome: 'invalid',
  status,
  error: 'invalid_request',
  description,
})

/** Credentials that prove nothing. */
export const badClient = (description: string): OAuthError => ({
  outcome: 'unauthenticated',
  status: 401,
  error: 'invalid_client',
  description,
})

/** Too many requests, or too many failures (RFC 6585 section 4). */
export const tooMany = (waitMs: number): OAuthError => ({
  outcome: 'limited',
  status: 429,
  error: 'temporarily_unavailable',
  description: 'too many requests',
  retryAfter: Math.max(1, Math.ceil(waitMs / 1_000)),
})

/** Nothing could be said or done now. */
export const unavailable = (description: string): OAuthError => ({
  outcome: 'unavailable',
  status: 503,
  error: 'temporarily_unavailable',
  description,
  retryAfter: 1,
})

/** A dotted identifier: the only thing that may be called (JSONP). */
const callbackName = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/
const callbackLimit = 128

/** Whether a text may be the name of a JSONP callback. */
export const isCallback = (text: string): boolean => text.length <= callbackLimit && callbackName.test(text)

/** An answer as a script that calls a function: without arguments, or with the error. */
export const asScript = (answer: Answer, callback: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'Content-Type': 'application/javascript' },
  body: `${callback}(${answer.body});`,
})
