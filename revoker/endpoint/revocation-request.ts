/**
 * What the revocation endpoint asks of those who can answer it.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from './answer.ts'
import type { Form } from './form.ts'

/** A request whose form was read and that holds a token. */
export interface RevocationRequest {
  readonly token: string
  readonly form: Form
  readonly headers: IncomingHttpHeaders
  /** Where it comes from. */
  readonly address: string
}

/**
 * Revokes what a request presents, by what is known here (standalone) or by what an identity provider says (relay).
 *
 * @throws RescindError when it could not be done; whether anything was published its code says.
 */
export type AnswerRevocation = (request: RevocationRequest) => Promise<Answer>
