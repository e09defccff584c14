/**
 * Revocations, restorations and tokens for tests: small factories, and random ones over few users, clients and ids, so
 * that they often meet.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import type { TokenClaims, TokenFacts } from '../../revocation/claims.ts'
import { createEventCodec } from '../../revocation/formats/rescind.ts'
import { type Match, matchKey } from '../../revocation/key.ts'
import type { LiveState } from '../../revocation/live-state.ts'
import type {
  ClaimSetDeclaration,
  LifetimeDeclaration,
  LogEvent,
  Restoration,
  Revocation,
} from '../../revocation/revocation.ts'

/** A token as an enforcer sees it after verification. */
export interface SomeToken {
  readonly claims: TokenClaims
  readonly facts: TokenFacts
  /** As it stands in the token, possibly with a fraction. */
  readonly iat: number
}

/** Longest token lifetime that the tests declare, seconds. */
export const lifetimeSeconds = 200

/** An id of 32 hex digits that is the same for the same name. */
export const idOf = (name: unknown): string =>
  createHash('sha256').update(JSON.stringify(name)).digest('hex').slice(0, 32)

/** A block: tokens that match are rejected until a time. */
export const block = (
  match: Match,
  expiresAt: number,
  id = idOf(['block', match, expiresAt]),
): Revocation => ({
  kind: 'revocation',
  id,
  match,
  expiresAt,
  revokedAt: 0,
})

/** A cut: tokens that match and were issued at or before a time are rejected. */
export const cut = (
  match: Match,
  issuedBefore: number,
  id = idOf(['cut', match, issuedBefore]),
): Revocation => ({
  kind: 'revocation',
  id,
  match,
  issuedBefore,
  revokedAt: 0,
})

/** When a revocation expires, seconds: a cut counts in whole seconds from issuedBefore. */
export const expiryOf = ({ issuedBefore, expiresAt }: Revocation, lifetime = lifetimeSeconds): number => {
  const exact = issuedBefore === undefined ? (expiresAt ?? 0) : Math.floor(issuedBefore) + lifetime
  return Math.min(2 ** 32 - 1, Math.ceil(exact))
}

/** Takes a revocation back. */
export const restore = (target: Revocation, expiresAt = expiryOf(target)): Restoration => ({
  kind: 'restoration',
  id: idOf(['restore', target.id]),
  target: target.id,
  key: matchKey(target.match, target.issuedBefore !== undefined).key.toString('hex'),
  expiresAt,
  restoredAt: 0,
})

/** Admits a claim set. */
export const declare = (names: readonly string[], isCut: boolean): ClaimSetDeclaration => ({
  kind: 'claim-set',
  names,
  cut: isCut,
})

/** Declares the longest token lifetime. */
export const lifetime = (seconds: number, declaredAt = 0): LifetimeDeclaration => ({
  kind: 'token-lifetime',
  seconds,
  declaredAt,
})

/** A token that was issued at 0 unless it says otherwise. */
export const token = (claims: TokenClaims, iat = 0, facts: TokenFacts = {}): SomeToken => ({
  claims,
  facts,
  iat,
})

/** A digest for a position, as if every log had the same entries. */
export const digestAt = (position: number): bigint => BigInt(position) * 0x1234_5678_9abcn + 1n

/** Applies events at the positions that follow. */
export const applyAll = (state: LiveState, events: readonly LogEvent[]): void => {
  for (const event of events) {
    const position = Math.max(1, state.position + 1)
    state.apply(position, digestAt(position), event)
  }
}

/** The codec of a log without a key. */
export const plainCodec = createEventCodec()

/** The bytes of an event. */
export const bytesOf = (event: LogEvent): Buffer => plainCodec.encode(event, idOf(event))

const issuer = fc.constantFrom('https://a', 'https://b')
const subject = fc.constantFrom<string | number>('alice', 'bob', 7)
const client = fc.constantFrom('app', 'shop')
const values: Readonly<Record<string, Arbitrary<string | number | boolean>>> = {
  iss: issuer,
  sub: subject,
  sid: fc.constantFrom('s1', 's2'),
  jti: fc.constantFrom('j1', 'j2', 'j3'),
  tenant: fc.constantFrom<string | number | boolean>('t1', true),
  role: fc.constantFrom('admin', 'user'),
  $client: client,
  $kid: fc.constantFrom('k1', 'k2'),
  $token: fc.constantFrom('f1', 'f2'),
}

/** Claim names of which random revocations are made; the last set is never declared. */
const nameSets = [
  ['iss', 'jti'],
  ['jti'],
  ['iss', 'sub'],
  ['sub', '$client'],
  ['iss', '$client'],
  ['iss', 'sid'],
  ['iss'],
  ['iss', '$kid'],
  ['iss', '$token'],
  ['iss', 'sub', 'tenant'],
  ['role'],
] as const

/** The one claim set among {@link anyRevocation}'s that must be declared; `role` never is. */
export const declarations: readonly LogEvent[] = [
  lifetime(lifetimeSeconds),
  declare(['iss', 'sub', 'tenant'], true),
  declare(['tenant', 'sub', 'iss'], false),
]

const someMatch = fc
  .constantFrom(...nameSets)
  .chain(names => fc.record(Object.fromEntries(names.map(name => [name, values[name] as Arbitrary<string>]))))
  .map(match => ({ ...match }) as Match)

/** Seconds of the tests: from 0 to about 1000, often whole. */
export const someTime = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }),
  fc.integer({ min: 0, max: 4_000 }).map(quarters => quarters / 4),
)

/** Random revocations; each id stands for one key and issuedBefore, and repeats of it may differ in expiresAt. */
export const anyRevocation: Arbitrary<Revocation> = fc
  .record({ match: someMatch, time: someTime, isCut: fc.boolean(), number: fc.integer({ min: 1, max: 2 }) })
  .map(({ match, time, isCut, number }) =>
    isCut
      ? cut(match, time, idOf([match, time, number]))
      : block(match, time, idOf([match, 'block', number])),
  )

/** Random tokens: some claims are missing, some are arrays. */
export const anyToken: Arbitrary<SomeToken> = fc
  .record({
    claims: fc.record(
      {
        iss: issuer,
        sub: subject,
        sid: values.sid as Arbitrary<string>,
        jti: values.jti as Arbitrary<string>,
        tenant: fc.oneof(
          values.tenant as Arbitrary<string>,
          fc.array(values.tenant as Arbitrary<string>, { maxLength: 3 }),
        ),
        role: values.role as Arbitrary<string>,
        client_id: client,
        azp: client,
        aud: fc.oneof(client, fc.array(client, { maxLength: 2 })),
      },
      { requiredKeys: ['iss'], noNullPrototype: true },
    ),
    iat: someTime,
    facts: fc.record({ $kid: values.$kid as Arbitrary<string>, $token: values.$token as Arbitrary<string> }),
  })
  .map(({ claims, iat, facts }) => ({ claims, iat, facts }))
