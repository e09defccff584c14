/**
 * What a verified JWT is revoked by.
 *
 * @module
 */
import { claimValueLimit, valueText } from '../revocation/claims.ts'
import type { Match } from '../revocation/key.ts'
import type { VerifiedToken, VerifyRules } from '../token/verifier.ts'

/** Rules by which the revoker verifies: looser than an enforcer's, since it must revoke whatever one may accept. */
export function revokerRules(
  clockToleranceSeconds: number,
  maxClockDifferenceSeconds: number,
  maxTokenLifetimeSeconds: number,
): VerifyRules {
  return {
    clockToleranceSeconds,
    maxTokenLifetimeSeconds,
    ignoreNotBefore: true,
    ignoreAudience: true,
    expiredGraceSeconds: maxClockDifferenceSeconds,
    futureGraceSeconds: maxClockDifferenceSeconds,
  }
}

/** The claims of one token: its jti, or what it is made of if it has none that can be matched. */
export function tokenMatch(token: Pick<VerifiedToken, 'issuer' | 'payload' | 'fingerprint'>): Match {
  const jti = valueText(Object.hasOwn(token.payload, 'jti') ? token.payload.jti : undefined)
  return jti === undefined || jti === '' || jti.length > claimValueLimit
    ? { iss: token.issuer, $token: token.fingerprint() }
    : { iss: token.issuer, jti }
}
