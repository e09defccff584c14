/**
 * `POST /revocations` and `POST /revocations:batch` of the admin API.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { keyText, matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import { nameAt, revocationName } from '../../revocation/revocation-name.ts'
import type { Problem } from '../problem.ts'
import type { NewRevocation, Publication, Published, Publisher } from '../publisher.ts'
import type { AnswerChange, Change } from './changes.ts'
import {
  answers,
  changeHeaders,
  confirmationField,
  matchClaims,
  revocationId,
  seconds,
  version,
} from './fields.ts'
import { derivedId, type KeyedRequest } from './idempotency.ts'
import {
  newRevocation,
  type RevocationBody,
  type RevocationBodyOptions,
  revocationBody,
} from './revocation-body.ts'

/** What the routes work on. */
export interface RevokeOptions extends RevocationBodyOptions {
  readonly publisher: Publisher
  readonly state: LiveState
  readonly answerChange: AnswerChange
}

/** Most revocations in a batch. */
export const batchLimit = 2_000
const batchBodyLimitBytes = 2 ** 20

const revoked = {
  id: Type.Union([revocationId, Type.Null()], {
    description: 'By this it is restored; null: the log held all of it already.',
  }),
  match: matchClaims,
  issuedBefore: Type.Optional(seconds('Tokens issued until then are rejected; absent: whenever issued.')),
  expiresAt: seconds('Until then it is enforced, seconds since 1970.'),
}

const oneRevoked = Type.Object({ ...revoked, version, confirmation: confirmationField })

const allRevoked = Type.Object({
  version,
  revocations: Type.Array(Type.Object(revoked), { description: 'In the order in which they were given.' }),
  confirmation: confirmationField,
})

const batchBody = Type.Object(
  { revocations: Type.Array(revocationBody, { minItems: 1, maxItems: batchLimit }) },
  { additionalProperties: false },
)

/** Adds the routes to a server. */
export function addRevoke(server: FastifyInstance, options: RevokeOptions): void {
  const { answerChange } = options
  server.post<{ Body: RevocationBody }>(
    '/revocations',
    {
      schema: {
        operationId: 'revoke',
        summary: 'Revoke a token, or whatever has these claims',
        headers: changeHeaders,
        body: revocationBody,
        response: answers({ 200: oneRevoked, 201: oneRevoked }),
      },
    },
    (request, reply) =>
      answerChange(request, reply, (actor, keyed) => revokeOne(request.body, actor, keyed, options)),
  )
  // Two colons stand for one, see find-my-way.
  server.post<{ Body: { revocations: RevocationBody[] } }>(
    '/revocations::batch',
    {
      bodyLimit: batchBodyLimitBytes,
      schema: {
        operationId: 'revokeAll',
        summary: 'Revoke several, all or none',
        headers: changeHeaders,
        body: batchBody,
        response: answers({ 200: allRevoked, 201: allRevoked }),
      },
    },
    (request, reply) =>
      answerChange(request, reply, (actor, keyed) =>
        revokeAll(request.body.revocations, actor, keyed, options),
      ),
  )
}

async function revokeOne(
  body: RevocationBody,
  actor: string,
  keyed: KeyedRequest | undefined,
  options: RevokeOptions,
): Promise<Change | Problem> {
  const revocation = await newRevocation(body, actor, options)
  if ('status' in revocation) return revocation
  const named = withIds([revocation], keyed)
  const publication = await publish(named, options)
  if ('status' in publication) return publication
  const [answer] = answersOf(named, publication, options)
  return changeOf(publication, { ...answer, version: publication.position }, named)
}

async function revokeAll(
  bodies: readonly RevocationBody[],
  actor: string,
  keyed: KeyedRequest | undefined,
  options: RevokeOptions,
): Promise<Change | Problem> {
  const revocations: NewRevocation[] = []
  for (const [index, body] of bodies.entries()) {
    const revocation = await newRevocation(body, actor, options)
    if ('status' in revocation) {
      return { ...revocation, detail: `revocations[${index}]: ${revocation.detail}` }
    }
    revocations.push(revocation)
  }
  const named = withIds(revocations, keyed)
  const publication = await publish(named, options)
  if ('status' in publication) return publication
  const body = { version: publication.position, revocations: answersOf(named, publication, options) }
  return changeOf(publication, body, named)
}

/** With a key the ids are derived, so a repeat elsewhere is the same revocation, and does not revive a restored one. */
const withIds = (
  revocations: readonly NewRevocation[],
  keyed: KeyedRequest | undefined,
): readonly NewRevocation[] =>
  keyed === undefined
    ? revocations
    : revocations.map((revocation, index) => ({ ...revocation, id: derivedId(keyed, index) }))

async function publish(
  revocations: readonly NewRevocation[],
  { publisher, state }: RevokeOptions,
): Promise<Publication | Problem> {
  const isRestored = revocations.some(
    ({ id }) => id !== undefined && state.restorations.get(id) !== undefined,
  )
  return isRestored ? restoredSince : publisher.publishAll(revocations)
}

const restoredSince: Problem = {
  status: 409,
  code: 'ERR_REVOCATION_RESTORED',
  detail: 'this request was carried out, and what it revoked was restored; to revoke it again take a new key',
}

const answersOf = (revocations: readonly NewRevocation[], { each }: Publication, { state }: RevokeOptions) =>
  revocations.map((revocation, index) => {
    const { id, expiresAt } = each[index] as Published
    const { match, issuedBefore } = revocation
    return {
      id: id === undefined ? heldName(revocation, state) : revocationName({ ...revocation, id }),
      match,
      ...(issuedBefore === undefined ? {} : { issuedBefore }),
      expiresAt,
    }
  })

/** What the log held already may be this very revocation. */
function heldName({ id, ...revocation }: NewRevocation, state: LiveState): string | null {
  if (id === undefined) return null
  const { key } = matchKey(revocation.match, revocation.issuedBefore !== undefined)
  const single = state.live(keyText(key))?.find(id)
  return single === undefined ? null : nameAt({ id, key: key.toString('hex') })
}

function changeOf(
  { position, isByJti, each }: Publication,
  body: object,
  revocations: readonly NewRevocation[],
): Change {
  const names = revocations.flatMap((revocation, index) => {
    const id = each[index]?.id
    return id === undefined ? [] : revocationName({ ...revocation, id })
  })
  const [first] = revocations
  return {
    status: names.length > 0 ? 201 : 200,
    body,
    publication: { position, isByJti },
    audit: {
      change: 'revoke',
      version: position,
      revocations: revocations.length,
      claims: [...new Set(revocations.flatMap(({ match }) => Object.keys(match)))],
      id: names[0],
      reason: first?.reason,
    },
  }
}
