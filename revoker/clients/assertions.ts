/**
 * Judges the assertions by which clients prove who they are: private_key_jwt (RFC 7523 section 3, OpenID Connect Core
 * section 9).
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { ownMember } from '../../revocation/json-object.ts'
import { signatureAlgorithms } from '../../token/algorithms.ts'
import { acceptsAudience, audiencesOf } from '../../token/claims.ts'
import { type ParsedJwt, parseJwt } from '../../token/jwt.ts'
import { findSigningKey, type KeySource } from '../../token/signature.ts'
import { systemTiming } from '../../token/timing.ts'

/** What the verifier holds assertions against. */
export interface AssertionOptions {
  /** An assertion must be for one of these: our own URL, or that of the endpoint. */
  readonly audiences: readonly string[]
  readonly clockToleranceSeconds: number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}

/** Verifies assertions. */
export interface AssertionVerifier {
  /** The client that an assertion claims to be from; undefined if it is none that could be judged. */
  clientOf(assertion: string): string | undefined
  /**
   * Whether the client with these keys made the assertion, for us and now.
   *
   * @throws RescindError ERR_REQUEST_FAILED if its keys could not be fetched.
   */
  verify(assertion: string, keys: KeySource): Promise<boolean>
  /**
   * Uses up an assertion that was verified (RFC 7523 section 3, number 7).
   *
   * @returns whether it was not used before.
   * @throws RescindError ERR_OVERLOADED if its client has used too many.
   */
  spend(assertion: string): boolean
}

/** Longest time for which an assertion may be valid: it is remembered so long. */
const validSecondsLimit = 600
/** Of each client. */
const rememberedLimit = 100_000
const idLimit = 256
const keysWaitMs = 5_000

/** Creates a verifier with its own memory of assertions that were used. */
export function createAssertionVerifier(options: AssertionOptions): AssertionVerifier {
  /** Of each client the assertions that were used, and until when they could be used again; the oldest first. */
  const usedBy = new Map<string, Map<string, number>>()

  return {
    clientOf(assertion) {
      const jwt = parseJwt(assertion)
      return jwt === undefined ? undefined : subjectOf(jwt)
    },
    async verify(assertion, keys) {
      const jwt = parseJwt(assertion)
      if (jwt === undefined || !signatureAlgorithms.includes(jwt.alg)) return false
      if (idOf(jwt) === undefined || expiryOf(jwt, options) === undefined) return false
      if (!acceptsAudience(options.audiences, audiencesOf(jwt.payload))) return false
      const wait = { timing: systemTiming, deadlineMs: keysWaitMs, freshKeysOnly: false }
      const key = await findSigningKey(jwt, keys, wait)
      if (key === 'keys_unavailable')
        throw new RescindError('ERR_REQUEST_FAILED', `the keys of the client ${subjectOf(jwt)} are not known`)
      return typeof key === 'object'
    },
    spend(assertion) {
      const jwt = parseJwt(assertion)
      const expiresAt = jwt && expiryOf(jwt, options)
      if (jwt === undefined || expiresAt === undefined) return false
      const [client, id] = [subjectOf(jwt) ?? '', idOf(jwt) ?? '']
      const used = usedBy.get(client) ?? new Map<string, number>()
      usedBy.set(client, used)
      if (used.has(id)) return false
      forgetUntil(options.nowSeconds(), used)
      if (used.size >= rememberedLimit)
        throw new RescindError(
          'ERR_OVERLOADED',
          `a client has used ${used.size} assertions that are still valid`,
        )
      used.set(id, expiresAt)
      return true
    },
  }
}

function forgetUntil(nowSeconds: number, used: Map<string, number>): void {
  for (const [id, until] of used) {
    if (until > nowSeconds) break
    used.delete(id)
  }
}

function idOf({ payload }: ParsedJwt): string | undefined {
  const id = ownMember(payload, 'jti')
  return typeof id === 'string' && id !== '' && id.length <= idLimit ? id : undefined
}

/** Issuer and subject must both be the client (RFC 7523 section 3, numbers 1 and 2). */
function subjectOf({ payload }: ParsedJwt): string | undefined {
  const subject = ownMember(payload, 'sub')
  if (typeof subject !== 'string' || subject.length > idLimit) return undefined
  return subject === ownMember(payload, 'iss') ? subject : undefined
}

/** Until when it could be used, seconds; undefined if it is not valid now, or for too long. */
function expiryOf({ payload }: ParsedJwt, options: AssertionOptions): number | undefined {
  const now = options.nowSeconds()
  const tolerance = options.clockToleranceSeconds
  const [exp, nbf] = [ownMember(payload, 'exp'), ownMember(payload, 'nbf')]
  if (typeof exp !== 'number' || exp + tolerance <= now || exp - tolerance > now + validSecondsLimit)
    return undefined
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + tolerance)) return undefined
  return exp + tolerance
}
