/**
 * Answers to requests that cannot be carried out: problem details (RFC 9457).
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { RescindError } from '../revocation/error.ts'

/** A request that cannot be carried out, as RFC 9457 problem details. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  /** When to come again; of a 503 a second if it is left out. */
  readonly retryAfterSeconds?: number
}

/** Sends problem details (RFC 9457). */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, detail, retryAfterSeconds = status === 503 ? 1 : undefined } = problem
  if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds))
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: code, status, code, detail })
}

const statuses: Readonly<Record<string, number>> = {
  ERR_REVOCATION_INVALID: 400,
  ERR_CLAIM_SET_UNKNOWN: 400,
  ERR_EVENT_TOO_LARGE: 413,
  ERR_REVOCATION_UNKNOWN: 404,
  ERR_REVOCATION_MERGED: 409,
  ERR_CLAIM_SETS_LIMIT: 409,
  ERR_CURSOR_INVALID: 400,
  ERR_GRANT_FORBIDDEN: 403,
  ERR_GRANT_REFUSED: 409,
}

/** Too many guesses from an address. */
export const tooManyGuesses = (waitMs: number): Problem => ({
  status: 429,
  code: 'ERR_TOO_MANY_ATTEMPTS',
  detail: 'too many failed attempts from this address; wait',
  retryAfterSeconds: Math.ceil(waitMs / 1_000),
})

/** The problem that an error of ours is: what the request did wrong, or 503 because something is missing here. */
export function problemOf(error: RescindError): Problem {
  return { status: statuses[error.code] ?? 503, code: error.code, detail: error.message }
}
