/**
 * `POST /explain` of the admin API: what enforcers make of a token, and why. Nothing of the token is logged or kept.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { LogFollower } from '../../event-log/follow.ts'
import { claimTexts, clientOf, type TokenClaims, valueText } from '../../revocation/claims.ts'
import { ownMember } from '../../revocation/json-object.ts'
import { type HeldRevocation, rejecting } from '../../revocation/probes.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import type { TokenVerifier } from '../../token/verifier.ts'
import type { AskEnforcers } from '../confirmation/known-enforcers.ts'
import { answers, claimSetFields, matchClaims, seconds, tokenText, version } from './fields.ts'
import { heldAnswer, heldFields } from './held-answer.ts'
import { type JudgedToken, judgeToken } from './judged-token.ts'
import type { RevocationTexts } from './revocation-texts.ts'

/** What the route works on. */
export interface ExplainOptions {
  readonly follower: LogFollower
  readonly verifier: TokenVerifier
  readonly issuers: readonly string[]
  readonly texts: RevocationTexts
  readonly clockToleranceSeconds: number
  /** What expired until then rejects nothing any more, seconds. */
  readonly liveAfter: () => number
  /** Undefined: there are no adapters to ask. */
  readonly enforcers: AskEnforcers | undefined
}

/** Revocations that are explained, and of how many the log is asked for texts. */
const revocationsLimit = 256
const textsLimit = 8

const body = Type.Object({ token: tokenText('A JWT, or an opaque token.') }, { additionalProperties: false })

const explained = Type.Object({
  decision: Type.Enum(['allow', 'deny', 'undecided'], {
    description: 'What an enforcer at this version decides.',
  }),
  reason: Type.Union([Type.String(), Type.Null()], {
    description: 'Why it is denied, as enforcers name it (docs/errors.md).',
  }),
  verified: Type.Boolean({ description: 'An enforcer accepts it, if it is not revoked.' }),
  problem: Type.Union([Type.String(), Type.Null()], { description: 'Why it is not verified.' }),
  claims: Type.Record(Type.String(), Type.String(), { description: 'What revocations can name.' }),
  claimsVerified: Type.Boolean({
    description: 'The signature is genuine; if not, anybody may have written these claims.',
  }),
  version,
  claimSets: Type.Array(
    Type.Object({
      ...claimSetFields,
      probed: Type.Boolean({
        description: 'The token has all of these claims, so it was looked up by them.',
      }),
    }),
    { description: 'The claim sets of which there are live revocations.' },
  ),
  revocations: Type.Array(
    Type.Object({
      ...heldFields,
      match: Type.Optional(matchClaims),
      revokedAt: Type.Optional(seconds('When it was made, seconds since 1970.')),
      reason: Type.Optional(Type.String()),
      actor: Type.Optional(Type.String()),
    }),
    { description: 'The live revocations that reject it. Texts are there if they were found soon.' },
  ),
  enforcers: Type.Optional(
    Type.Array(
      Type.Object({
        instance: Type.String(),
        label: Type.String(),
        version: Type.Integer(),
        connected: Type.Boolean(),
        has: Type.Boolean({ description: 'It has the version since which the token is rejected.' }),
      }),
      { description: 'Left out where adapters are not asked.' },
    ),
  ),
})

/** Adds the route to a server. */
export function addExplain(server: FastifyInstance, options: ExplainOptions): void {
  server.post<{ Body: Static<typeof body> }>(
    '/explain',
    {
      schema: {
        operationId: 'explain',
        summary: 'Say what enforcers make of a token, and why',
        body,
        response: answers({ 200: explained }),
      },
    },
    ({ body: { token } }) => explain(token, options),
  )
}

async function explain(text: string, options: ExplainOptions): Promise<Static<typeof explained>> {
  const { state } = options.follower
  const token = await judgeToken(text, { ...options, lifetimes: state.lifetimes })
  const found = rejecting(state, token, options.liveAfter())
  const revocations = typeof found === 'string' ? [] : found.slice(0, revocationsLimit)
  const { sets } = state.claimSets
  const answer = {
    ...decisionOf(token, found),
    verified: token.problem === undefined,
    problem: token.problem ?? null,
    claims: shownClaims(token.claims),
    claimsVerified: token.isGenuine,
    version: state.position,
    claimSets: sets.map(({ names, cut }) => ({
      names: [...names],
      cut,
      probed: names.every(name => claimTexts(name, token.claims, token.facts).length > 0),
    })),
  }
  const [texts, enforcers] = await Promise.all([
    options.texts.at(revocations.slice(0, textsLimit).map(({ position }) => position)),
    enforcersWith(revocations, options),
  ])
  const withTexts = revocations.map((one, index) => ({ ...heldAnswer(one), ...shownTexts(texts[index]) }))
  return { ...answer, revocations: withTexts, ...(enforcers === undefined ? {} : { enforcers }) }
}

/** In the order in which an enforcer decides. */
function decisionOf(
  { problem }: JudgedToken,
  found: ReturnType<typeof rejecting>,
): Pick<Static<typeof explained>, 'decision' | 'reason'> {
  if (problem === 'keys_unavailable') return { decision: 'undecided', reason: problem }
  if (problem !== undefined) return { decision: 'deny', reason: problem }
  if (typeof found === 'string') return { decision: 'deny', reason: found }
  return found.length > 0 ? { decision: 'deny', reason: 'revoked' } : { decision: 'allow', reason: null }
}

const shownNames = ['iss', 'sub', 'sid', 'jti', 'iat', 'exp'] as const

/** What built-in claim sets are made of, and the token's times. */
function shownClaims(claims: TokenClaims): Record<string, string> {
  const shown = shownNames.map(name => [name, valueText(ownMember(claims, name))] as const)
  const all = [...shown, ['$client', clientOf(claims)] as const]
  return Object.fromEntries(all.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])))
}

function shownTexts(revocation: Revocation | undefined) {
  if (revocation === undefined) return {}
  const { match, revokedAt, reason, actor } = revocation
  return {
    match,
    revokedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(actor === undefined ? {} : { actor }),
  }
}

/** The first of the revocations is enough for a token to be rejected. */
async function enforcersWith(
  revocations: readonly HeldRevocation[],
  { enforcers, follower }: ExplainOptions,
) {
  const positions = revocations.flatMap(({ position }) => position ?? [])
  const since = positions.length === 0 ? follower.state.position : Math.min(...positions)
  const known = await enforcers?.(since)
  return known && [...known]
}
