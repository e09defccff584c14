/**
 * Verifies security event tokens (RFC 8417) of configured transmitters, by the keys that they publish.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { signatureAlgorithms } from '../token/algorithms.ts'
import { acceptsAudience, audiencesOf } from '../token/claims.ts'
import { ownMember } from '../token/json-object.ts'
import { createJwksSource, type JwksSource, type TokenLogger } from '../token/jwks-source.ts'
import type { ParsedJwt } from '../token/jwt.ts'
import { findSigningKey } from '../token/signature.ts'
import { systemTiming } from '../token/timing.ts'

/** Who may send security event tokens. */
export interface Transmitter {
  /** `iss` of its SETs. */
  readonly issuer: string
  /** Its JWKS; without it the issuer's metadata is asked. */
  readonly jwksUri?: string | undefined
  /** A SET must be for one of these. */
  readonly audiences: readonly string[]
  /** The issuers whose tokens it may revoke; default: itself. */
  readonly issuers: readonly string[]
}

/** Verifies SETs. */
export interface SetVerifier {
  /**
   * @param text the token, and the same parsed.
   * @returns the transmitter that signed it.
   * @throws RescindError ERR_EVENT_INVALID if it is not genuine or not for us; ERR_REQUEST_FAILED if that cannot be
   *   said because the transmitter's keys are not known: try again.
   */
  verify(text: string, jwt: ParsedJwt): Promise<Transmitter>
  /** Ends timers and fetches. */
  close(): void
}

/** A SET may have waited in an inbox while the transmitter changed its keys. */
const retiredSeconds = 3_600

const setType = /^(application\/)?secevent\+jwt$/i

/** Starts to load the transmitters' keys, in the background. */
export function createSetVerifier(transmitters: readonly Transmitter[], logger: TokenLogger): SetVerifier {
  const sources = new Map<string, { transmitter: Transmitter; keys: JwksSource }>()
  for (const transmitter of transmitters) {
    const { issuer, jwksUri } = transmitter
    sources.set(issuer, { transmitter, keys: createJwksSource({ issuer, jwksUri, retiredSeconds, logger }) })
  }
  return {
    async verify(text, jwt) {
      if (!setType.test(jwt.typ ?? '')) throw refused('typ is not secevent+jwt')
      const source = sources.get(String(ownMember(jwt.payload, 'iss')))
      if (source === undefined) throw refused('iss is not a configured transmitter')
      if (!signatureAlgorithms.includes(jwt.alg)) throw refused('alg is not allowed')
      const { transmitter, keys } = source
      const wait = { timing: systemTiming, deadlineMs: undefined, freshKeysOnly: true }
      const key = await findSigningKey(text, jwt, keys, wait)
      if (key === 'keys_unavailable') {
        throw new RescindError('ERR_REQUEST_FAILED', `the keys of ${transmitter.issuer} are not known yet`)
      }
      if (typeof key === 'string') throw refused(`its signature is not the transmitter's (${key})`)
      const audiences = audiencesOf(jwt.payload)
      if (!acceptsAudience(transmitter.audiences, audiences)) throw refused('aud is not for us')
      return transmitter
    },
    close() {
      for (const { keys } of sources.values()) keys.close()
    },
  }
}

const refused = (why: string) => new RescindError('ERR_EVENT_INVALID', `the security event token: ${why}`)
