/**
 * What is revoked in a simulation: tokens of a few users, sessions and clients, so that revocations often meet.
 *
 * @module
 */
import { type Match, matchKey } from '../../revocation/key.ts'
import type { Restoration } from '../../revocation/revocation.ts'
import type { NewRevocation } from '../../revoker/publisher.ts'
import type { Dice } from '../support/random.ts'
import type { SomeToken } from '../support/revocations.ts'
import type { Known } from './history.ts'
import { rules } from './nodes.ts'

/** A token of which every enforcer is asked. */
export interface SimulatedToken extends SomeToken {
  readonly name: string
  /** Seconds. */
  readonly exp: number
  /** It must never be rejected. */
  readonly isControl: boolean
}

const issuers = ['https://a', 'https://b']
const subjects = ['alice', 'bob', 'carol']
const clients = ['app', 'shop']
const sessions = ['s1', 's2']
const tenants = ['t1', 't2']

/** Claim sets that only a declaration admits. */
export const declaredNames: readonly (readonly string[])[] = [
  ['sub', 'tenant'],
  ['tenant', '$client'],
]

/**
 * Draws tokens. Most of them live as long as the first declared lifetime allows, some as long as a raised one does.
 *
 * @param beginSeconds when the simulation begins.
 */
export function drawTokens(dice: Dice, beginSeconds: number): readonly SimulatedToken[] {
  const tokens: SimulatedToken[] = []
  for (let number = 0; number < 24; number++) {
    const iat = beginSeconds + Math.floor(dice.between(-200, 100))
    const lifetime = dice.chance(0.8) ? rules.lifetimeSeconds : rules.raisedLifetimeSeconds
    const claims = {
      iss: dice.pick(issuers),
      jti: `j${number}`,
      sub: dice.pick(subjects),
      sid: dice.pick(sessions),
      client_id: dice.pick(clients),
      tenant: dice.pick(tenants),
    }
    tokens.push({
      name: `token ${number}`,
      claims,
      facts: { $kid: 'k' },
      iat,
      exp: iat + lifetime,
      isControl: false,
    })
  }
  for (let number = 0; number < 3; number++) {
    const claims = {
      iss: issuers[0] as string,
      jti: `c${number}`,
      sub: `c${number}`,
      client_id: `c${number}`,
      tenant: `c${number}`,
      sid: 'c',
    }
    const iat = beginSeconds - 100
    const times = { iat, exp: iat + rules.lifetimeSeconds + 200 }
    tokens.push({ name: `control ${number}`, claims, facts: { $kid: 'k' }, ...times, isControl: true })
  }
  return tokens
}

const nameSets: readonly (readonly string[])[] = [
  ['jti'],
  ['iss', 'jti'],
  ['jti'],
  ['iss', 'jti'],
  ['sub'],
  ['iss', 'sub'],
  ['iss', 'sid'],
  ['iss', 'sub', '$client'],
  ['sub', '$client'],
  ...declaredNames,
]

/** Draws a revocation of some token, or of all that share claims with it. */
export function drawRevocation(
  dice: Dice,
  tokens: readonly SimulatedToken[],
  nowSeconds: number,
): NewRevocation {
  const token = dice.pick(tokens.filter(({ isControl }) => !isControl))
  const { client_id: client, ...claims } = token.claims as Record<string, string>
  const names = dice.pick(nameSets)
  const match: Match = Object.fromEntries(
    names.map(name => [name, (name === '$client' ? client : claims[name]) as string]),
  )
  const named = { match, id: dice.id(), actor: 'simulation' }
  if (dice.chance(0.4)) return { ...named, issuedBefore: Math.floor(nowSeconds - dice.between(0, 250)) }
  const livesSeconds = dice.chance(0.5) ? dice.between(2, 40) : dice.between(300, 900)
  return { ...named, expiresAt: Math.floor(nowSeconds + livesSeconds) }
}

/** Takes a revocation back. */
export const restorationOf = (
  { revocation }: Known,
  id: string,
  longestLifetimeSeconds: number,
  nowSeconds: number,
): Restoration => ({
  kind: 'restoration',
  id,
  target: revocation.id,
  key: matchKey(revocation.match, revocation.issuedBefore !== undefined).key.toString('hex'),
  expiresAt: revocation.expiresAt ?? (revocation.issuedBefore ?? 0) + longestLifetimeSeconds,
  restoredAt: Math.floor(nowSeconds),
})
