/**
 * Holds an answer back until enforcers have what was revoked, if the request prefers that (RFC 7240).
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Publication } from '../publisher.ts'
import { type Confirmation, type Confirmer, confirmationText } from './confirmation.ts'
import { waitMsOf } from './prefer.ts'

/**
 * Waits as long as the request prefers, at most until its sender goes away, and sets `Revocation-Status` and
 * `Preference-Applied`. Undefined, and nothing set, if it prefers nothing.
 */
export async function confirmAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  publication: Pick<Publication, 'position' | 'isByJti'>,
  confirmer: Confirmer,
): Promise<Confirmation | undefined> {
  const waitMs = waitMsOf(request.headers.prefer)
  if (waitMs === undefined) return undefined
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  if (reply.raw.destroyed) gone.abort()
  const confirmation = await confirmer.confirm(publication, waitMs, gone.signal)
  reply.header('Preference-Applied', 'wait')
  reply.header('Revocation-Status', confirmationText(confirmation))
  return confirmation
}
