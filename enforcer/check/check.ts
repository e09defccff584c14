/**
 * The check: bytes of a CheckRequest in, bytes of a CheckResponse out.
 *
 * find the token -> verify it (remembered by exact text) -> is it revoked (never remembered) -> answer
 *
 * @module
 */
import { lifetimeAt } from '../../revocation/token-lifetimes.ts'
import type { TokenVerifier } from '../../token/verifier.ts'
import type { Snapshot } from '../discovery/snapshot.ts'
import type { Answers, DenyReason } from './answers.ts'
import { bearerToken, isTokenText } from './bearer-token.ts'
import { type CheckInput, readCheckRequest } from './check-request.ts'
import type { CountCheck } from './counts.ts'
import { isRevoked } from './revoked.ts'
import type { CachedToken, TokenCache } from './token-cache.ts'

/**
 * Nothing was decided, because something is missing that is not the token's fault. A transport answers gRPC
 * UNAVAILABLE, so that Envoy's own failure policy and retries apply; never a 401.
 */
export class Undecided extends Error {
  /** Short name for metrics. */
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.name = 'Undecided'
    this.reason = reason
  }
}

/** What to do when checks cannot be decided with certainty. */
export interface Standing {
  /** Checks are decided; or nothing can be decided; or requests pass without a decision. */
  readonly mode: 'decide' | 'undecided' | 'allow'
  readonly reason: string
}

/** Whom a check asks and tells. */
export interface CheckOptions {
  readonly snapshot: Snapshot
  readonly verifier: TokenVerifier
  readonly cache: TokenCache
  readonly answers: Answers
  /** Own limits, seconds; default: what the adapter says. */
  readonly clockToleranceSeconds?: number | undefined
  readonly maxTokenLifetimeSeconds?: number | undefined
  readonly standing: () => Standing
  /** Told of each answer. */
  readonly count: CountCheck
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/**
 * Answers a CheckRequest. `deadlineMs` is the time that the caller waits, from now.
 *
 * @throws Undecided (or rejects with it) when nothing can be decided; RescindError ERR_REQUEST_INVALID for bytes that
 *   are not a CheckRequest.
 */
export type Check = (request: Buffer, deadlineMs: number) => Buffer | Promise<Buffer>

/** Verifications that may be under way at once; more are refused as overload. */
const verificationsLimit = 1_000

/** Time that is kept for the answer itself, milliseconds. */
const answerMs = 20

/** Creates the check. */
export function createCheck(options: CheckOptions): Check {
  const { snapshot, verifier, cache, answers, count } = options
  let verifying = 0

  const allow = (reason: 'allowed' | 'unchecked' = 'allowed') => {
    count('allow', reason)
    return answers.allow
  }
  const deny = (reason: DenyReason, input: CheckInput) => {
    count('deny', reason)
    return answers.deny(reason, input.isGrpc)
  }
  const undecided = (reason: string) => {
    count('undecided', reason)
    return new Undecided(reason)
  }

  const decide = (cached: CachedToken, input: CheckInput): Buffer => {
    const problem = verifier.check(cached.token, {
      clockToleranceSeconds: options.clockToleranceSeconds ?? snapshot.toleranceSeconds,
      maxTokenLifetimeSeconds: Math.min(
        options.maxTokenLifetimeSeconds ?? Number.POSITIVE_INFINITY,
        lifetimeAt(snapshot.lifetimes, cached.token.iatSeconds),
      ),
    })
    if (problem !== undefined) return deny(problem, input)
    const revoked = isRevoked(cached, snapshot, options.nowSeconds())
    if (revoked === 'too_many_keys') return deny('too_many_keys', input)
    return revoked ? deny('revoked', input) : allow()
  }

  const verifyAndDecide = async (text: string, input: CheckInput, deadlineMs: number): Promise<Buffer> => {
    verifying++
    const verification = await verifier
      .authenticate(text, { deadlineMs: Math.max(0, deadlineMs - answerMs) })
      .finally(() => verifying--)
    if (verification.ok) {
      const cached: CachedToken = { token: verification.token, claimSets: undefined, keys: undefined }
      cache.set(text, cached)
      return decide(cached, input)
    }
    if (verification.unavailable) throw undecided(verification.reason)
    return deny(verification.reason, input)
  }

  return (request, deadlineMs) => {
    const standing = options.standing()
    if (standing.mode === 'undecided') throw undecided(standing.reason)
    const input = readCheckRequest(request)
    if (standing.mode === 'allow') return allow('unchecked')
    const found = bearerToken(input)
    if (found.problem !== undefined) return deny(found.problem, input)
    const cached = cache.get(found.token)
    if (cached !== undefined) {
      if (verifier.isCurrent(cached.token)) return decide(cached, input)
      cache.delete(found.token)
    }
    if (!isTokenText(found.token)) return deny('malformed', input)
    if (verifying >= verificationsLimit) throw undecided('overloaded')
    return verifyAndDecide(found.token, input, deadlineMs)
  }
}
