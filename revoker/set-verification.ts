/**
 * Verifies security event tokens (RFC 8417) of configured transmitters, by the keys that they publish.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { ownMember } from '../revocation/json-object.ts'
import { signatureAlgorithms } from '../token/algorithms.ts'
import { acceptsAudience, audiencesOf } from '../token/claims.ts'
import { createJwksSource, type JwksSource, type TokenLogger } from '../token/jwks-source.ts'
import type { ParsedJwt } from '../token/jwt.ts'
import { findSigningKey, type KeySource } from '../token/signature.ts'
import { systemTiming, type Timing } from '../token/timing.ts'

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
   * @returns the transmitter that signed it.
   * @throws RescindError ERR_EVENT_INVALID if it is not genuine or not for us, or if the key that signed it is not known
   *   and could not be fetched for half a minute; ERR_REQUEST_FAILED if that cannot be said yet: try again.
   */
  verify(jwt: ParsedJwt): Promise<Transmitter>
  /** Ends timers and fetches. */
  close(): void
}

/** A SET may have waited in an inbox while the transmitter changed its keys. */
const retiredSeconds = 3_600

/**
 * An unknown key is looked for once more after the message came, so that a SET which is signed with a new key is not
 * lost. Whoever can write to an inbox can name unknown keys: so this must not take long.
 */
const refetchIntervalSeconds = 1

/** For so long a fetch that fails may hold up messages whose key is not known. */
const outageLimitMs = 30_000

const setType = /^(application\/)?secevent\+jwt$/i

/** Starts to load the transmitters' keys, in the background. */
export function createSetVerifier(
  transmitters: readonly Transmitter[],
  logger: TokenLogger,
  timing: Timing = systemTiming,
): SetVerifier {
  const wait = { timing, deadlineMs: undefined, freshKeysOnly: true }
  const sources = new Map<string, { transmitter: Transmitter; keys: JwksSource }>()
  for (const transmitter of transmitters) {
    const { issuer, jwksUri } = transmitter
    const limits = { retiredSeconds, refetchIntervalSeconds }
    const keys = createJwksSource({ issuer, jwksUri, ...limits, logger, timing })
    sources.set(issuer, { transmitter, keys })
  }
  const sourceOf = (jwt: ParsedJwt) => {
    if (!setType.test(jwt.typ ?? '')) throw refused('typ is not secevent+jwt')
    const issuer = ownMember(jwt.payload, 'iss')
    const source = typeof issuer === 'string' ? sources.get(issuer) : undefined
    if (source === undefined) throw refused('iss is not a configured transmitter')
    if (!signatureAlgorithms.includes(jwt.alg)) throw refused('alg is not allowed')
    return source
  }
  return {
    async verify(jwt) {
      const { transmitter, keys } = sourceOf(jwt)
      const key = await findSigningKey(jwt, patient(keys), wait)
      if (key === 'keys_unavailable') throw unknownKey(transmitter, keys)
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

/** During a long outage nothing waits for a fetch. Before keys were fetched once, everything does. */
const patient = (keys: JwksSource): KeySource => ({
  ...keys,
  refetch: async () => (isLongOut(keys) ? 'failed' : keys.refetchWhenDue()),
})

const isLongOut = (keys: JwksSource): boolean =>
  keys.keySet() !== undefined && (keys.status().failingMs ?? 0) > outageLimitMs

function unknownKey({ issuer }: Transmitter, keys: JwksSource): RescindError {
  if (!isLongOut(keys)) {
    return new RescindError('ERR_REQUEST_FAILED', `the keys of ${issuer} are not known yet`)
  }
  const limitSeconds = outageLimitMs / 1_000
  return refused(`signed with an unknown key, and no keys could be fetched for ${limitSeconds} s`)
}

const refused = (why: string) => new RescindError('ERR_EVENT_INVALID', `the security event token: ${why}`)
