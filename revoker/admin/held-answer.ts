/**
 * A live revocation as answers tell of it, without its texts.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import type { HeldRevocation } from '../../revocation/probes.ts'
import { latestSeconds } from '../../revocation/time.ts'
import { claimSetFields, revocationId, seconds, version } from './fields.ts'

/** The fields of a live revocation. */
export const heldFields = {
  id: Type.Union([revocationId, Type.Null()], {
    description: 'By this it is restored; null: more than 64 of the same claims were merged into this one.',
  }),
  ...claimSetFields,
  issuedBefore: Type.Optional(seconds('Of a cut: tokens issued until then are rejected.')),
  expiresAt: seconds('Until then it is enforced, seconds since 1970.'),
  version: Type.Union([version, Type.Null()], {
    description:
      'Since which version it is enforced; null: the log has lost it, and it is enforced until it expires.',
  }),
}

const heldSchema = Type.Object(heldFields)

/** What answers say of a live revocation. */
export type HeldAnswer = Static<typeof heldSchema>

/** Tells of a live revocation. */
export const heldAnswer = ({ name, set, times, position }: HeldRevocation): HeldAnswer => ({
  id: name ?? null,
  names: [...set.names],
  cut: set.cut,
  ...(times.issuedBefore === latestSeconds ? {} : { issuedBefore: times.issuedBefore }),
  expiresAt: times.expiresAt,
  version: position ?? null,
})
