/**
 * `DELETE /revocations/{id}` of the admin API: takes a revocation back, and says what still rejects.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { ClaimSet } from '../../revocation/claim-set.ts'
import { keyText } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import { type HeldRevocation, held, heldForMatch } from '../../revocation/probes.ts'
import { nameAt, placeNamed, type RevocationPlace } from '../../revocation/revocation-name.ts'
import type { Restorer } from '../restorer.ts'
import type { AnswerChange, Change } from './changes.ts'
import {
  answers,
  changeHeaders,
  confirmationField,
  reasonText,
  revocationId,
  seconds,
  version,
} from './fields.ts'
import { heldAnswer, heldFields } from './held-answer.ts'
import type { RevocationTexts } from './revocation-texts.ts'

/** What the route works on. */
export interface RestoreOptions {
  readonly restorer: Restorer
  readonly state: LiveState
  readonly texts: RevocationTexts
  readonly answerChange: AnswerChange
  /** What expired until then rejects nothing any more, seconds. */
  readonly liveAfter: () => number
}

const params = Type.Object({ id: revocationId })
const query = Type.Object({ reason: Type.Optional(reasonText) }, { additionalProperties: false })

const restored = Type.Object({
  id: revocationId,
  version,
  expiresAt: seconds('When it would have expired, seconds since 1970.'),
  already: Type.Boolean({ description: 'It was restored before; nothing was appended.' }),
  stillRejecting: Type.Array(Type.Object(heldFields), {
    description: 'Other live revocations of the same tokens, as far as they were searched.',
  }),
  searched: Type.Enum(['claims', 'key'], {
    description:
      'claims: revocations of these claims or of some of them, blocks and cuts. key: only those of exactly these claims and of the same kind. Revocations of further claims of a token, such as its user, are found by POST /explain.',
  }),
  confirmation: confirmationField,
})

/** Adds the route to a server. */
export function addRestore(server: FastifyInstance, options: RestoreOptions): void {
  server.delete<{ Params: Static<typeof params>; Querystring: Static<typeof query> }>(
    '/revocations/:id',
    {
      schema: {
        operationId: 'restore',
        summary: 'Take a revocation back',
        headers: changeHeaders,
        params,
        querystring: query,
        response: answers({ 200: restored }),
      },
    },
    (request, reply) => {
      // What the schema lets through is a name.
      const place = placeNamed(request.params.id) as RevocationPlace
      const { reason } = request.query
      return options.answerChange(request, reply, actor => restore(place, actor, reason, options))
    },
  )
}

async function restore(
  place: RevocationPlace,
  actor: string,
  reason: string | undefined,
  { restorer, state, texts, liveAfter }: RestoreOptions,
): Promise<Change> {
  const name = nameAt(place)
  const ofKey = () => heldUnder(place, state, liveAfter())
  const position = ofKey().find(one => one.name === name)?.position
  const match = (await texts.at([position]))[0]?.match
  const restored = await restorer.restore({ ...place, actor, ...(reason === undefined ? {} : { reason }) })
  const others = match === undefined ? ofKey() : heldForMatch(state, match, liveAfter())
  return {
    status: 200,
    body: {
      id: name,
      version: restored.position,
      expiresAt: restored.expiresAt,
      already: restored.already,
      stillRejecting: others.filter(one => one.name !== name).map(heldAnswer),
      searched: match === undefined ? 'key' : 'claims',
    },
    // An enforcer of Choreo Connect cannot be told of it.
    publication: { position: restored.position, isByJti: false },
    audit: {
      change: 'restore',
      version: restored.position,
      id: name,
      claims: claimSetOf(place, state)?.names,
      already: restored.already,
      reason,
    },
  }
}

function heldUnder(place: RevocationPlace, state: LiveState, liveAfter: number): readonly HeldRevocation[] {
  const set = claimSetOf(place, state)
  return set === undefined ? [] : held(state, [{ set, key: keyBytesOf(place) }], liveAfter)
}

/** The key does not tell its claims, but what is held under it does. */
function claimSetOf(place: RevocationPlace, state: LiveState): ClaimSet | undefined {
  const number = state.live(keyText(keyBytesOf(place)))?.claimSet
  return number === undefined ? undefined : state.summary.claimSets[number]
}

const keyBytesOf = ({ key }: RevocationPlace): Buffer => Buffer.from(key, 'hex')
