/**
 * `GET /claim-sets` and `POST /claim-sets` of the admin API: which claims revocations may name together.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { builtInClaimSets, claimSetNamesLimit, declaredClaimSetsLimit } from '../../revocation/claim-set.ts'
import { claimNameLimit } from '../../revocation/claims.ts'
import { type ClaimSetDeclarerOptions, declareClaimSet } from '../claim-set-declarer.ts'
import type { AnswerChange, Change } from './changes.ts'
import { answers, changeHeaders, claimSetFields, confirmationField, version } from './fields.ts'

/** What the routes work on. */
export interface ClaimSetOptions extends ClaimSetDeclarerOptions {
  readonly answerChange: AnswerChange
}

const body = Type.Object(
  {
    names: Type.Array(Type.String({ minLength: 1, maxLength: claimNameLimit }), {
      minItems: 1,
      maxItems: claimSetNamesLimit,
      description: 'Names of claims.',
    }),
    cut: Type.Boolean({
      default: false,
      description: 'For revocations with issuedBefore (cuts); default: for those without (blocks).',
    }),
  },
  { additionalProperties: false },
)

const listed = Type.Object({
  claimSets: Type.Array(
    Type.Object({
      ...claimSetFields,
      builtIn: Type.Boolean({ description: 'It is always admitted.' }),
      version: Type.Optional(version),
    }),
  ),
  declared: Type.Integer({ description: 'How many are declared.' }),
  limit: Type.Integer({ description: 'How many can be declared. A declaration stays.' }),
})

const declared = Type.Object({
  ...claimSetFields,
  version,
  already: Type.Boolean({ description: 'It was admitted before; nothing was appended.' }),
  confirmation: confirmationField,
})

/** Adds the routes to a server. */
export function addClaimSets(server: FastifyInstance, options: ClaimSetOptions): void {
  const { state } = options.follower
  server.get(
    '/claim-sets',
    {
      schema: {
        operationId: 'claimSets',
        summary: 'List the claim sets of which revocations are taken',
        response: answers({ 200: listed }),
      },
    },
    async () => {
      const ofLog = state.summary.declared
      return {
        claimSets: [
          ...builtInClaimSets.map(set => ({ ...set, builtIn: true })),
          ...ofLog.map(([set, position]) => ({ ...set, builtIn: false, version: position })),
        ],
        declared: ofLog.length,
        limit: declaredClaimSetsLimit,
      }
    },
  )
  server.post<{ Body: Static<typeof body> }>(
    '/claim-sets',
    {
      schema: {
        operationId: 'declareClaimSet',
        summary: 'Declare a claim set',
        headers: changeHeaders,
        body,
        response: answers({ 200: declared, 201: declared }),
      },
    },
    (request, reply) => options.answerChange(request, reply, () => declare(request.body, options)),
  )
}

async function declare({ names, cut }: Static<typeof body>, options: ClaimSetOptions): Promise<Change> {
  const { set, position, already } = await declareClaimSet(names, cut, options)
  return {
    status: already ? 200 : 201,
    body: { ...set, version: position, already },
    // An enforcer of Choreo Connect knows no claim sets.
    publication: { position, isByJti: false },
    audit: { change: 'declare', version: position, claims: set.names, cut, already },
  }
}
