/**
 * What revocations can match of a verified token beside its claims.
 *
 * @module
 */
import type { TokenFacts } from '../revocation/claims.ts'
import type { VerifiedToken } from './verifier.ts'

/** The facts of a token; its fingerprint and signature are computed when first asked for. */
export const factsOf = (token: Pick<VerifiedToken, 'kid' | 'fingerprint' | 'signature'>): TokenFacts => ({
  $kid: token.kid,
  get $token() {
    return token.fingerprint()
  },
  get $signature() {
    return token.signature()
  },
})
