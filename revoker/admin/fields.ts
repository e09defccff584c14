/**
 * The kinds of fields that requests and answers of the admin API are made of; OpenAPI shows their descriptions.
 *
 * @module
 */
import Type from 'typebox'

/** A time. */
export const seconds = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })

/** A token, as long as any may be. */
export const tokenText = (description: string) =>
  Type.String({ minLength: 1, maxLength: 16_384, description })

/** Why, for people. */
export const reasonText = Type.String({ maxLength: 1_024, description: 'Why; for logs and lists.' })

/** The name of a revocation, see revocation-name.ts. */
export const revocationId = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'By this a revocation is restored: 64 hex digits.',
})

/** A version of the state. */
export const version = Type.Integer({
  minimum: -1,
  description: 'Position in the event log; an enforcer that has this version, or a later one, enforces it.',
})

/** Claims and values, in answers. */
export const matchClaims = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Integer(), Type.Boolean()]),
  { description: 'Claims that must all equal.' },
)

/** Names of claims, and which kind of revocation. */
export const claimSetFields = {
  names: Type.Array(Type.String(), { description: 'Names of claims.' }),
  cut: Type.Boolean({
    description: 'For revocations with issuedBefore (cuts), or for those without (blocks).',
  }),
}

/** The headers of a change. */
export const changeHeaders = Type.Object({
  prefer: Type.Optional(
    Type.String({ description: 'wait=5: answer when all enforcers have it, or after so many seconds.' }),
  ),
  'idempotency-key': Type.Optional(
    Type.String({ description: 'A repeat of the request with the same key has no further effect.' }),
  ),
})

/** What enforcers have of a change; in its answer if the request preferred to wait. */
export const confirmationField = Type.Optional(
  Type.Object(
    {
      version: Type.Integer(),
      enforced: Type.Boolean({ description: 'All enforcers that count have it.' }),
      acked: Type.Integer({ description: 'Enforcers that have it.' }),
      enforcers: Type.Integer({ description: 'Enforcers that count.' }),
      verified: Type.Boolean({ description: 'Every adapter knows its enforcers by their certificates.' }),
      reasons: Type.Array(Type.String(), { description: 'Why it is not known to be enforced.' }),
    },
    { description: 'What enforcers have, if the request prefers to wait.' },
  ),
)

/** An answer that says what went wrong (RFC 9457). */
export const problemAnswer = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; docs/errors.md says what to do.' }),
    detail: Type.String(),
  },
  { description: 'Problem details (RFC 9457).' },
)

/** The answers of a route: those of success by their status, and problem details. */
export const answers = <Success extends object>(success: Success) => ({
  ...success,
  '4xx': problemAnswer,
  '5xx': problemAnswer,
})
