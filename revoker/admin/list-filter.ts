/**
 * Which revocations a list is asked for.
 *
 * @module
 */
import Type, { type Static } from 'typebox'
import { claimNameLimit, claimValueLimit, valueText } from '../../revocation/claims.ts'
import { RescindError } from '../../revocation/error.ts'
import type { Revocation } from '../../revocation/revocation.ts'

const claimText = (description: string) =>
  Type.Optional(Type.String({ maxLength: claimValueLimit, description }))

const time = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[0-9]{1,12}$', description: `${description}, seconds since 1970.` }))

const namedClaim = Type.String({
  pattern: '^[^=]+=',
  maxLength: claimNameLimit + 1 + claimValueLimit,
  description: 'name=value',
})

/** The parameters of a filter. */
export const listFilter = {
  iss: claimText('Its match names this issuer.'),
  sub: claimText('Its match names this subject.'),
  jti: claimText('Its match names this token.'),
  sid: claimText('Its match names this session.'),
  client: claimText('Its match names this client ($client).'),
  claim: Type.Optional(
    Type.Union([namedClaim, Type.Array(namedClaim, { maxItems: 8 })], {
      description: 'Its match has this claim with this value: name=value. May be repeated.',
    }),
  ),
  since: time('Made at or after'),
  until: time('Made at or before'),
  actor: Type.Optional(Type.String({ maxLength: 512, description: 'Made by exactly this actor.' })),
  state: Type.Optional(
    Type.Enum(['live', 'all'], {
      description: 'all: also restored and expired ones, as long as the log has them.',
    }),
  ),
}

const parameters = Type.Object(listFilter)

/** A filter that was read. */
export interface ListFilter {
  /** Texts that claims of the match must have, by name. */
  readonly claims: readonly (readonly [name: string, text: string])[]
  /** Seconds. */
  readonly since: number
  readonly until: number
  readonly actor: string | undefined
  /** Also what is not in force. */
  readonly all: boolean
}

/** Reads a filter from its parameters. */
export function readFilter(given: Static<typeof parameters>): ListFilter {
  const { iss, sub, jti, sid, client, claim, since, until, actor, state } = given
  const named = Object.entries({ iss, sub, jti, sid, $client: client }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  )
  return {
    claims: [...named, ...[claim ?? []].flat().map(splitClaim)],
    since: since === undefined ? 0 : Number(since),
    until: until === undefined ? Number.POSITIVE_INFINITY : Number(until),
    actor,
    all: state === 'all',
  }
}

/** Whether a revocation is one of those that a filter asks for, whatever its state. */
export const matchesFilter = ({ match, revokedAt, actor }: Revocation, filter: ListFilter): boolean =>
  revokedAt >= filter.since &&
  revokedAt <= filter.until &&
  (filter.actor === undefined || filter.actor === actor) &&
  filter.claims.every(([name, text]) => Object.hasOwn(match, name) && valueText(match[name]) === text)

function splitClaim(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new RescindError('ERR_REQUEST_INVALID', 'claim: must be name=value')
}
