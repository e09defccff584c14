/**
 * Relays revocations to an identity provider and publishes what its answers prove to be revoked, never more.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { RescindError } from '../../revocation/error.ts'
import { tokenFingerprint } from '../../token/token-fingerprint.ts'
import type { TokenVerifier, VerifyRules } from '../../token/verifier.ts'
import type { AssertionVerifier } from '../clients/assertions.ts'
import { claimedClient, type FailureLimits } from '../clients/authentication.ts'
import { readPresented } from '../clients/presented.ts'
import { type Answer, type Outcome, refused, tooMany, unavailable } from '../endpoint/answer.ts'
import type { AnswerRevocation, RevocationRequest } from '../endpoint/revocation-request.ts'
import type { Publication } from '../publisher.ts'
import { tokenMatch } from '../revoked-token.ts'
import { createFlights } from './flights.ts'
import {
  errorOf,
  type IdentityProvider,
  type ProviderAnswer,
  ProviderUnreachable,
} from './identity-provider.ts'
import type { Intent } from './intents.ts'
import type { Preset, Taken, Verdict } from './presets.ts'
import { newIntent, type SettlementOptions, startSettlement } from './settlement.ts'
import { findFacts, type TokenFacts } from './token-facts.ts'

/** What a relay works on. */
export interface RelayOptions extends SettlementOptions {
  readonly provider: IdentityProvider
  readonly preset: Preset
  /** The identity provider's tokens name it so. */
  readonly issuer: string
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly failures: FailureLimits
  /** Reads who made an assertion; whether it is genuine the identity provider says. */
  readonly assertions: Pick<AssertionVerifier, 'clientOf'>
  /** Answers for an access token that verifies while the identity provider cannot be reached (`revokeAnyway`). */
  readonly anyway: AnswerRevocation | undefined
}

/** A revocation of which it is not known whether the identity provider has carried it out. */
export interface Unresolved {
  /** Names it; made of token and client, and leads back to neither. */
  readonly id: string
  /** When the identity provider was asked, seconds. */
  readonly at: number
  readonly client: string | undefined
  /** What would have been revoked, as far as that is known. */
  readonly taken: readonly Taken[]
  /** The identity provider has revoked it; it only waits for the log. */
  readonly proven: boolean
}

/** A relay. */
export interface Relay {
  readonly answer: AnswerRevocation
  /** What is open, and that no request is about to settle. */
  unresolved(): readonly Unresolved[]
  /** Forgets one that is not proven. @returns false if there is none */
  dismiss(id: string): Promise<boolean>
  close(): Promise<void>
}

const flightsLimit = 1_000
/** Characters of a client name that proved nothing. */
const clientLimit = 256

/** Creates a relay and settles what was left open. */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const { intents, failures, provider } = options
  const flights = createFlights(flightsLimit)
  const settlement = await startSettlement(options, flights)

  return {
    async answer(request) {
      const client = callerOf(request, options)
      const waitMs = failures.wait(client ?? '', request.address)
      if (waitMs > 0) return refused(tooMany(waitMs))
      const key = keyOf(request.token, client)
      const attempt = { request, client, key, options, settle: settlement.settle }
      return flights.run(key, () => relay(attempt))
    },
    unresolved: () =>
      intents
        .list()
        .filter(([key]) => !flights.has(key))
        .map(([id, { at, client, taken, proven }]) => ({ id, at, client, taken, proven })),
    dismiss: id =>
      flights.run(id, async () => {
        if (intents.get(id)?.proven !== false) return false
        await intents.remove(id)
        return true
      }),
    async close() {
      await settlement.close()
      provider.close()
      await intents.close()
    },
  }
}

/** One request, on its way. */
interface Attempt {
  readonly request: RevocationRequest
  readonly client: string | undefined
  readonly key: string
  readonly options: RelayOptions
  settle(key: string, intent: Intent): Promise<Publication | undefined>
}

async function relay(attempt: Attempt): Promise<Answer> {
  const { request, key, options } = attempt
  const { intents, preset, provider } = options
  const known = intents.get(key)
  let facts: TokenFacts | undefined
  try {
    facts = await findFacts(request.token, request.form.get('token_type_hint'), options)
    const intent = intentOf(known, facts, attempt)
    if (known !== undefined || facts !== undefined || preset.named !== undefined)
      await intents.put(key, intent)
    const answer = await provider.revoke(request)
    return await conclude(attempt, { intent, known, answer })
  } catch (error) {
    if (!(error instanceof RescindError)) throw error
    return failed(attempt, { known, facts, error })
  }
}

interface Failed {
  readonly known: Intent | undefined
  readonly facts: TokenFacts | undefined
  readonly error: RescindError
}

/** What never reached the identity provider leaves nothing open. */
async function failed(attempt: Attempt, { known, facts, error }: Failed): Promise<Answer> {
  const { request, client, key, options } = attempt
  const { intents, anyway, logger } = options
  logger.error({ err: error, client, from: request.address }, 'a revocation could not be relayed')
  const mayHaveArrived = error instanceof ProviderUnreachable && error.mayHaveArrived
  if (mayHaveArrived) countGuess(attempt)
  if (known === undefined && !mayHaveArrived && intents.get(key)?.proven !== true) await intents.remove(key)
  const isCertain = facts?.provenBy === 'signature' && facts.kind === 'access'
  if (anyway === undefined || !isCertain || !(error instanceof ProviderUnreachable))
    return refused(unavailable('try again later'))
  const answer = await anyway(request)
  if (answer.outcome === 'revoked') await intents.remove(key)
  return answer
}

/** What is known now, and what was known before an earlier attempt. */
function intentOf(known: Intent | undefined, facts: TokenFacts | undefined, attempt: Attempt): Intent {
  const { client, options } = attempt
  const before = known ?? newIntent(options.nowSeconds(), client)
  if (facts === undefined) return before
  const isOwn = client !== undefined && facts.client === client
  return {
    ...before,
    taken: before.taken.length > 0 ? before.taken : options.preset.taken(facts),
    genuine: before.genuine || (isOwn && facts.provenBy !== 'nothing'),
  }
}

interface Answered {
  readonly intent: Intent
  readonly known: Intent | undefined
  readonly answer: ProviderAnswer
}

/** What is dead at the identity provider was revoked only if it lived: if it is known to be genuine. */
async function conclude(attempt: Attempt, answered: Answered): Promise<Answer> {
  const { request, client, options } = attempt
  const { intent, answer } = answered
  const verdict = options.preset.verdict(answer)
  if (isBadClient(answer)) options.failures.count(client ?? '', request.address)
  else if (verdict === 'unclear') countGuess(attempt)
  const isProven = verdict === 'revoked' || (verdict === 'dead' && (intent.genuine || intent.proven))
  if (isProven) return publishProven(attempt, answered)
  await leaveOpen(attempt, answered, verdict)
  return passedBack(answer, outcomeOf(verdict, answer))
}

/** An earlier attempt stays open as it is: this one may have come from somebody else. */
async function leaveOpen(
  { key, client, options: { intents, logger } }: Attempt,
  { intent, known }: Answered,
  verdict: Verdict,
): Promise<void> {
  if (known === undefined && verdict === 'unclear') await intents.put(key, { ...intent, answered: true })
  else if (known === undefined) await intents.remove(key)
  if (verdict === 'dead' && intent.taken.length > 0) logger.warn({ client }, notOwn)
}

async function publishProven(attempt: Attempt, { intent, known, answer }: Answered): Promise<Answer> {
  const { client, key, options, settle } = attempt
  const { intents, preset, logger } = options
  const named = preset.named?.(answer) ?? []
  const taken = [...intent.taken, ...(await Promise.all(named.map(text => takenByName(text, options))))]
  if (taken.length === 0) {
    await intents.remove(key)
    logger.warn({ client }, 'the identity provider has revoked a token of which nothing is known here')
    return passedBack(answer, 'unknown')
  }
  const proven = { ...intent, taken, proven: true, at: known?.proven ? known.at : options.nowSeconds() }
  // A full disk must not keep it from the log.
  await intents.put(key, proven).catch(err => logger.error({ err }, 'a relayed revocation is only in memory'))
  return passedBack(answer, 'revoked', await settle(key, proven))
}

const notOwn =
  'a token is dead at the identity provider, and was not published: it is not known to be genuine and of this client'

/** A failure of the identity provider can be provoked by who has nothing: what nobody vouches for counts as a guess. */
function countGuess({ request, client, key, options }: Attempt): void {
  if (options.intents.get(key)?.genuine !== true) options.failures.count(client ?? '', request.address)
}

const outcomes: Readonly<Record<Verdict, Outcome>> = {
  revoked: 'revoked',
  dead: 'unknown',
  refused: 'refused',
  unclear: 'unavailable',
}

const outcomeOf = (verdict: Verdict, answer: ProviderAnswer): Outcome =>
  isBadClient(answer) ? 'unauthenticated' : outcomes[verdict]

const passedBack = (
  { status, headers, body }: ProviderAnswer,
  outcome: Outcome,
  publication?: Publication,
): Answer => ({ outcome, status, headers, body, publication })

/** A token that the identity provider names: it knows which one it has revoked. */
async function takenByName(text: string, { verifier, rules, issuer }: RelayOptions): Promise<Taken> {
  const verification = await verifier.verify(text, rules())
  if (verification.ok) {
    const { token } = verification
    return { match: tokenMatch(token), expiresAt: token.expSeconds, cut: false, tokenType: 'JWT' }
  }
  return { match: { iss: issuer, $token: tokenFingerprint(text) }, cut: false, tokenType: 'opaque' }
}

/**
 * Who says to be asking: the identity provider finds out whether that is so. Nobody, if the request names two: what it
 * believes cannot be told.
 */
function callerOf({ headers, form }: RevocationRequest, { assertions }: RelayOptions): string | undefined {
  const presented = readPresented(headers.authorization, form)
  const client = 'problem' in presented ? undefined : claimedClient(presented, assertions)
  return client !== undefined && client.length <= clientLimit ? client : undefined
}

/** The identity provider did not accept the client's credentials (RFC 6749 section 5.2). */
function isBadClient(answer: ProviderAnswer): boolean {
  const error = errorOf(answer)
  return answer.status === 401 || error === 'invalid_client' || error === 'unauthorized_client'
}

const keyOf = (token: string, client: string | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify([client ?? null, token]))
    .digest('hex')
