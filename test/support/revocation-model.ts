/**
 * The naive model: decides from the list of all events, revocation by revocation, without keys, merging or tables. What
 * Rescind decides is compared with it.
 *
 * @module
 */
import type { Match } from '../../revocation/key.ts'
import type { LogEvent, Revocation } from '../../revocation/revocation.ts'
import { expiryOf, type SomeToken } from './revocations.ts'

/** Claim sets that need no declaration, as the specification lists them. */
const builtIn = [
  'jti',
  '$token',
  'sub',
  'sid',
  '$client',
  '$client sub',
  '$client sid',
  '$kid iss',
  'iss',
  '$signature',
]

const namesOf = (names: readonly string[]): string => [...names].sort().join(' ')

const isBuiltIn = (names: readonly string[]): boolean =>
  builtIn.includes(namesOf(names)) ||
  (namesOf(names) !== '$signature iss' && builtIn.includes(namesOf(names.filter(name => name !== 'iss'))))

/** Whether revocations by these claims count only if the log declares the claim set. */
export const needsDeclaration = (names: readonly string[]): boolean => !isBuiltIn(names)

/**
 * Whether the model rejects a token at a time: some revocation that was not restored and has not expired matches all
 * its claims, and is a block or the token was issued at or before its time.
 */
export const modelRejects = (events: readonly LogEvent[], token: SomeToken, nowSeconds: number): boolean => {
  const restored = new Set(events.flatMap(event => (event.kind === 'restoration' ? [event.target] : [])))
  const declared = new Set(
    events.flatMap(event => (event.kind === 'claim-set' ? [`${namesOf(event.names)} ${event.cut}`] : [])),
  )
  const longest = Math.max(
    ...events.flatMap(event => (event.kind === 'token-lifetime' ? [event.seconds] : [0])),
  )
  const rejects = (revocation: Revocation): boolean => {
    const names = Object.keys(revocation.match)
    const isCut = revocation.issuedBefore !== undefined
    return (
      !restored.has(revocation.id) &&
      (isBuiltIn(names) || declared.has(`${namesOf(names)} ${isCut}`)) &&
      expiryOf(revocation, longest) > nowSeconds &&
      modelMatches(revocation.match, token) &&
      (revocation.issuedBefore === undefined || Math.floor(token.iat) <= revocation.issuedBefore)
    )
  }
  return events.some(event => event.kind === 'revocation' && rejects(event))
}

/** Whether a token has all the claims that a revocation names. */
export const modelMatches = (match: Match, token: SomeToken): boolean =>
  Object.entries(match).every(([name, value]) => valuesOf(name, token).map(String).includes(String(value)))

const valuesOf = (name: string, { claims, facts }: SomeToken): readonly unknown[] => {
  const value = name === '$client' ? clientOf(claims) : { ...claims, ...facts }[name]
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

const clientOf = ({ client_id, azp, aud }: SomeToken['claims']): unknown => {
  const audience = Array.isArray(aud) ? (aud.length === 1 ? aud[0] : undefined) : aud
  return client_id ?? azp ?? audience
}
