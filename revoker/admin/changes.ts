/**
 * The way of every change through the admin API: at most once for a key, confirmed where that is asked for, and with a
 * line in the log that says who, what, why and from where.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RescindError } from '../../revocation/error.ts'
import type { Logger } from '../../runtime/logger.ts'
import { confirmAnswer } from '../confirmation/confirm-answer.ts'
import type { Confirmer } from '../confirmation/confirmation.ts'
import { type Problem, problemOf, sendProblem } from '../problem.ts'
import type { Publication } from '../publisher.ts'
import { adminOf } from './administrators.ts'
import {
  type Begun,
  createAnswerMemory,
  fingerprintOf,
  idempotencyKey,
  type KeyedRequest,
  keyLimit,
} from './idempotency.ts'

/** What a change has come to. */
export interface Change {
  readonly status: 200 | 201
  readonly body: object
  /** What enforcers may confirm. */
  readonly publication: Pick<Publication, 'position' | 'isByJti'>
  /** For the line in the log. */
  readonly audit: Readonly<Record<string, unknown>>
}

/** Carries a change out, or says why not. `keyed` is there if the request carries an Idempotency-Key. */
export type CarryOut = (actor: string, keyed: KeyedRequest | undefined) => Promise<Change | Problem>

/** Answers a request for a change. */
export type AnswerChange = (
  request: FastifyRequest,
  reply: FastifyReply,
  carryOut: CarryOut,
) => Promise<FastifyReply>

/** What changes are made with. */
export interface ChangesOptions {
  /** Asks enforcers whether they have a version. */
  readonly confirmer: Confirmer
  readonly logger: Logger
}

/** What is remembered of a change; whether it is enforced is asked again. */
type Answer = Pick<Change, 'status' | 'body' | 'publication'>

/** Creates the way, with a memory of its own for keys. */
export function createChanges({ confirmer, logger }: ChangesOptions): AnswerChange {
  const memory = createAnswerMemory<Answer>()

  const carryOutOnce = async (
    keyed: KeyedRequest | undefined,
    carryOut: () => Promise<Change | Problem>,
  ): Promise<Answer | Problem> => {
    if (keyed === undefined) return carryOut()
    const begun = memory.begin(keyed)
    if (begun.kind === 'answered') return begun.answer
    if (begun.kind !== 'begun') return inTheWay[begun.kind]
    try {
      const ended = await carryOut()
      if ('code' in ended) memory.release(keyed, false)
      else memory.keep(keyed, remembered(ended), JSON.stringify(ended.body).length)
      return ended
    } catch (error) {
      const isRefusal = error instanceof RescindError && problemOf(error).status < 500
      memory.release(keyed, !isRefusal)
      throw error
    }
  }

  return async (request, reply, carryOut) => {
    const administrator = adminOf(request)
    const keyed = keyedRequest(request, administrator)
    if (keyed !== undefined && 'code' in keyed) return sendProblem(reply, keyed)
    const answer = await carryOutOnce(keyed, async () => {
      const change = await carryOut(`admin:${administrator}`, keyed)
      if ('audit' in change) {
        logger.info({ administrator, from: request.ip, ...change.audit }, 'an administrator made a change')
      }
      return change
    })
    if ('code' in answer) return sendProblem(reply, answer)
    const confirmation = await confirmAnswer(request, reply, answer.publication, confirmer)
    return reply
      .code(answer.status)
      .send(confirmation === undefined ? answer.body : { ...answer.body, confirmation })
  }
}

const remembered = ({ status, body, publication }: Change): Answer => ({ status, body, publication })

function keyedRequest(request: FastifyRequest, administrator: string): KeyedRequest | Problem | undefined {
  const header = request.headers['idempotency-key']
  if (header === undefined) return undefined
  const key = typeof header === 'string' ? idempotencyKey(header) : undefined
  if (key === undefined) {
    const detail = `Idempotency-Key: one text of 1 to ${keyLimit} printable ASCII characters, perhaps in quotes`
    return { status: 400, code: 'ERR_REQUEST_INVALID', detail }
  }
  return { administrator, key, fingerprint: fingerprintOf(request.method, request.url, request.body) }
}

const inTheWay: Record<Exclude<Begun<Answer>['kind'], 'begun' | 'answered'>, Problem> = {
  'under way': {
    status: 409,
    code: 'ERR_IDEMPOTENCY_KEY_IN_USE',
    detail: 'an equal request with this Idempotency-Key is under way',
  },
  reused: {
    status: 422,
    code: 'ERR_IDEMPOTENCY_KEY_REUSED',
    detail: 'this Idempotency-Key was used for another request; take a new one',
  },
}
