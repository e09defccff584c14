/**
 * Judges the assertions by which clients prove who they are: private_key_jwt (RFC 7523 section 3, OpenID Connect Core
 * section 9).
 *
 * @module
 */
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
  /** Whether the client with these keys made the assertion, for us and now. */
  verify(assertion: string, keys: KeySource): Promise<boolean>
  /** Uses an assertion up (RFC 7523 section 3, number 7). @returns whether it was not used before. */
  spend(assertion: string): boolean
}

/** Longest time for which an assertion may be valid: it is remembered so long. */
const validSecondsLimit = 600
const rememberedLimit = 100_000
const idLimit = 256
const keysWaitMs = 5_000

/** Creates a verifier with its own memory of assertions that were used. */
export function createAssertionVerifier(options: AssertionOptions): AssertionVerifier {
  /** Assertions that were used, and until when they could be used again; the oldest first. */
  const used = new Map<string, number>()

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
      return typeof (await findSigningKey(assertion, jwt, keys, wait)) === 'object'
    },
    spend(assertion) {
      const jwt = parseJwt(assertion)
      const expiresAt = jwt && expiryOf(jwt, options)
      if (jwt === undefined || expiresAt === undefined) return false
      const now = options.nowSeconds()
      for (const [old, until] of used) {
        if (until > now) break
        used.delete(old)
      }
      const key = JSON.stringify([subjectOf(jwt), idOf(jwt)])
      if (used.has(key) || used.size >= rememberedLimit) return false
      used.set(key, expiresAt)
      return true
    },
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
