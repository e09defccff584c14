/**
 * A token as enforcers judge it, revocations aside, and what revocations can name of it, whether it is genuine or not.
 *
 * @module
 */
import type { TokenClaims } from '../../revocation/claims.ts'
import { ownMember } from '../../revocation/json-object.ts'
import type { ProbedToken } from '../../revocation/probes.ts'
import { secondsDown } from '../../revocation/time.ts'
import { jwtFingerprint, opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import { lifetimeAt, type TokenLifetimes } from '../../revocation/token-lifetimes.ts'
import { factsOf } from '../../token/facts.ts'
import { type ParsedJwt, parseJwt } from '../../token/jwt.ts'
import type { TokenVerifier, VerifiedToken } from '../../token/verifier.ts'

/** A token that was judged. */
export interface JudgedToken extends ProbedToken {
  /** Why an enforcer does not accept it, as enforcers name it. */
  readonly problem: string | undefined
  /** Its signature verified, so what it claims is so. */
  readonly isGenuine: boolean
}

/** What a token is judged by. */
export interface JudgeOptions {
  readonly verifier: TokenVerifier
  /** An opaque token may be of any of these. */
  readonly issuers: readonly string[]
  readonly clockToleranceSeconds: number
  readonly lifetimes: TokenLifetimes
}

/** Judges a token. */
export async function judgeToken(text: string, options: JudgeOptions): Promise<JudgedToken> {
  const verification = await options.verifier.authenticate(text)
  if (verification.ok) return genuine(verification.token, options)
  const jwt = parseJwt(text)
  return jwt === undefined ? opaque(text, verification.reason, options) : unproven(jwt, verification.reason)
}

function genuine(
  token: VerifiedToken,
  { verifier, lifetimes, clockToleranceSeconds }: JudgeOptions,
): JudgedToken {
  const maxTokenLifetimeSeconds = lifetimeAt(lifetimes, token.iatSeconds)
  return {
    claims: token.payload,
    facts: factsOf(token),
    iatSeconds: token.iatSeconds,
    // A revoker also takes keys that the issuer no longer publishes; enforcers do not.
    problem: verifier.isCurrent(token)
      ? verifier.check(token, { clockToleranceSeconds, maxTokenLifetimeSeconds })
      : 'unknown_key',
    isGenuine: true,
  }
}

/** Which key it was signed with is not known. */
function unproven(
  { payload, headerOctets, payloadOctets, signatureOctets }: ParsedJwt,
  problem: string,
): JudgedToken {
  const iat = ownMember(payload, 'iat')
  return {
    claims: payload,
    facts: {
      $token: jwtFingerprint(headerOctets, payloadOctets),
      $signature: Buffer.from(signatureOctets).toString('base64url'),
    },
    iatSeconds: typeof iat === 'number' ? secondsDown(iat) : undefined,
    problem,
    isGenuine: false,
  }
}

/** An opaque token says nothing of itself. */
const opaque = (text: string, problem: string, { issuers }: JudgeOptions): JudgedToken => ({
  claims: { iss: issuers } satisfies TokenClaims,
  facts: { $token: opaqueFingerprint(text) },
  iatSeconds: undefined,
  problem,
  isGenuine: false,
})
