/**
 * Confirmed revocations over HTTP: what the revoker says of the enforcers.
 *
 * @module
 */
import type { Confirmation } from '../../revoker/confirmation/confirmation.ts'
import { postRevocation } from './revoking.ts'
import { adminToken } from './stack.ts'

/** What was said, in the header and in full. */
export interface ConfirmedAnswer extends Confirmation {
  /** The header `Revocation-Status`. */
  readonly header: string
}

/** Revokes as an administrator and waits for enforcers. Throws unless it was accepted and the wait was applied. */
export async function revokeAndWait(
  port: number,
  body: object,
  waitSeconds: number,
): Promise<ConfirmedAnswer> {
  const headers = { authorization: `Bearer ${adminToken}`, prefer: `wait=${waitSeconds}` }
  const answer = await postRevocation(port, body, headers)
  const header = answer.headers.get('revocation-status')
  if (answer.status > 201 || header === null || answer.headers.get('preference-applied') !== 'wait')
    throw new Error(`POST /revocations answered ${answer.status}: ${answer.body}`)
  return { header, ...(JSON.parse(answer.body).confirmation as Confirmation) }
}
