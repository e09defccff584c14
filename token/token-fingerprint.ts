/**
 * The name `$token` of whatever is presented.
 *
 * @module
 */
import { jwtFingerprint, opaqueFingerprint } from '../revocation/token-fingerprint.ts'
import { parseJwt } from './jwt.ts'

/** `$token` of a text: of a JWT by what it says, whether it is genuine or not; of anything else by its octets. */
export function tokenFingerprint(text: string): string {
  const jwt = parseJwt(text)
  return jwt === undefined ? opaqueFingerprint(text) : jwtFingerprint(jwt.headerOctets, jwt.payloadOctets)
}
