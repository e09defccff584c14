/**
 * Decides whether a JWT is genuine: by a configured issuer, an allowed algorithm and a key that the issuer publishes.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { type JsonObject, ownMember } from '../revocation/json-object.ts'
import { jwtFingerprint } from '../revocation/token-fingerprint.ts'
import { signatureAlgorithms } from './algorithms.ts'
import {
  acceptsAudience,
  audiencesOf,
  type ClaimProblem,
  checkTimes,
  readTimes,
  type TimeRules,
  type TokenTimes,
} from './claims.ts'
import { createJwksSource, type JwksSource, type JwksStatus, type TokenLogger } from './jwks-source.ts'
import { defaultJwtLimits, type JwtLimits, type ParsedJwt, parseJwt } from './jwt.ts'
import type { VerificationKey } from './key-set.ts'
import { findSigningKey } from './signature.ts'
import { systemTiming, type Timing } from './timing.ts'

/** An issuer whose tokens are accepted. */
export interface IssuerSettings {
  /** The issuer, exactly as its tokens name it in `iss`. */
  readonly issuer: string
  /** Its JWKS; without it the issuer's metadata is asked. */
  readonly jwksUri?: string | undefined
  /** Accepted audiences; an empty list accepts any token of the issuer, also one without `aud`. */
  readonly audiences: readonly string[]
  /** Accepted `alg`s, some of signatureAlgorithms; default: all of them. */
  readonly algorithms?: readonly string[] | undefined
  /** Time between two loads of the keys. Default 300. */
  readonly jwksRefreshSeconds?: number | undefined
  /** How long the last good keys serve through an outage. Default 86,400. */
  readonly jwksMaxAgeSeconds?: number | undefined
}

/** Settings of {@link createTokenVerifier}. */
export interface TokenVerifierOptions {
  readonly issuers: readonly IssuerSettings[]
  readonly logger: TokenLogger
  /** Limits for parsing. */
  readonly limits?: JwtLimits | undefined
  readonly fetch?: typeof fetch | undefined
  /**
   * For a revoker, which must know every token that some enforcer may still accept: for how long keys that left the key
   * set still count, seconds; and a key is unknown only after a fetch. Absent: for an enforcer.
   */
  readonly retiredKeysSeconds?: number | undefined
  /** The wall clock, milliseconds since 1970; for claims. */
  readonly now?: (() => number) | undefined
  /** The steady clock and timers; for keys and deadlines. */
  readonly timing?: Timing | undefined
  /** Uniform in [0, 1); for jitter. */
  readonly random?: (() => number) | undefined
}

/** A token whose signature verified. Its times were read but not yet judged; see {@link TokenVerifier.check}. */
export interface VerifiedToken extends TokenTimes {
  readonly issuer: string
  /** The JOSE header; read with `ownMember`. */
  readonly header: JsonObject
  /** The claims; read with `ownMember`. */
  readonly payload: JsonObject
  /** `$kid`: of the key that verified, whatever the header says. */
  readonly kid: string
  /** The key that verified. */
  readonly key: VerificationKey
  /** The token's audiences. */
  readonly audiences: readonly string[]
  /** Whether one of them is among those that the issuer's settings accept. */
  readonly audienceAccepted: boolean
  /** `$token`, computed when first asked for. */
  fingerprint(): string
  /** `$signature`: the decoded signature octets as canonical base64url. */
  signature(): string
}

/** Why a token is not genuine. */
export type AuthenticityProblem =
  /** Not a JWT that can be judged; see parseJwt. */
  | 'malformed'
  /** `iss` is none of the configured issuers. */
  | 'unknown_issuer'
  /** `alg` is not in the issuer's allow-list. */
  | 'algorithm_not_allowed'
  /** The issuer has no such key. */
  | 'unknown_key'
  /** No key that could have signed it did. */
  | 'bad_signature'

/** Why a token is rejected. */
export type TokenProblem = AuthenticityProblem | ClaimProblem

/**
 * The answer about a token. With `unavailable` nothing was decided, because the issuer's keys are not known: answer
 * UNAVAILABLE or 503, never 401.
 */
export type Verification =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly unavailable?: false; readonly reason: TokenProblem }
  | { readonly ok: false; readonly unavailable: true; readonly reason: 'keys_unavailable' }

/** Rules that hold for every issuer. */
export interface VerifyRules extends TimeRules {
  /** Accept any audience: a revoker does. Default false. */
  readonly ignoreAudience?: boolean
}

/** How to go about it. */
export interface VerifyOptions {
  /** Longest wait for keys, milliseconds from now; a fetch that takes longer goes on in the background. */
  readonly deadlineMs?: number | undefined
}

/** Verifies tokens of several issuers. */
export interface TokenVerifier {
  /** {@link authenticate} and then {@link check}. */
  verify(token: string, rules: VerifyRules, options?: VerifyOptions): Promise<Verification>
  /**
   * Verifies the signature, and that exp and iat can be read: what does not depend on the clock. A success may be kept
   * by the exact text of the token as long as {@link isCurrent} holds. Never rejects for what a token says.
   */
  authenticate(token: string, options?: VerifyOptions): Promise<Verification>
  /** Judges a verified token's times, now, and its audience; synchronous and cheap. */
  check(token: VerifiedToken, rules: VerifyRules): ClaimProblem | undefined
  /** Whether the key that verified the token may still do so; if not, authenticate again. */
  isCurrent(token: VerifiedToken): boolean
  /** Not ready while no issuer's keys were ever loaded; the reasons then say why, per issuer. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] }
  /** Figures per issuer. */
  status(): ReadonlyMap<string, JwksStatus>
  /** Ends all timers and fetches. */
  close(): void
}

interface Issuer {
  readonly name: string
  readonly audiences: readonly string[]
  readonly algorithms: ReadonlySet<string>
  readonly source: JwksSource
}

const keysUnavailable: Verification = { ok: false, unavailable: true, reason: 'keys_unavailable' }

/**
 * Starts to load the keys of all issuers, in the background.
 *
 * @throws RescindError ERR_CONFIG_INVALID for an issuer that is there twice, an unknown algorithm, or a URL that is none
 * @example
 *   const verifier = createTokenVerifier({ issuers: [{ issuer: 'https://op.example', audiences: ['api'] }], logger })
 *   const answer = await verifier.verify(token, { clockToleranceSeconds: 30, maxTokenLifetimeSeconds: 2_592_000 })
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const issuers = createIssuers(options)
  const timing = options.timing ?? systemTiming
  const now = options.now ?? Date.now
  const limits = options.limits ?? defaultJwtLimits

  async function authenticate(text: string, { deadlineMs }: VerifyOptions = {}): Promise<Verification> {
    const jwt = parseJwt(text, limits)
    if (!jwt) return rejected('malformed')
    const issuer = findIssuer(issuers, jwt)
    if (!issuer) return rejected('unknown_issuer')
    if (!issuer.algorithms.has(jwt.alg)) return rejected('algorithm_not_allowed')

    const verdict = await findSigningKey(jwt, issuer.source, {
      timing,
      deadlineMs,
      freshKeysOnly: options.retiredKeysSeconds !== undefined,
    })
    if (verdict === 'keys_unavailable') return keysUnavailable
    if (typeof verdict === 'string') return rejected(verdict)
    const times = readTimes(jwt.payload)
    if (typeof times === 'string') return rejected(times)
    return { ok: true, token: verifiedToken(text, jwt, issuer, verdict, times, limits) }
  }

  function check(token: VerifiedToken, rules: VerifyRules): ClaimProblem | undefined {
    const problem = checkTimes(token, rules, now() / 1000)
    if (problem) return problem
    return rules.ignoreAudience || token.audienceAccepted ? undefined : 'wrong_audience'
  }

  return {
    async verify(text, rules, verifyOptions) {
      const answer = await authenticate(text, verifyOptions)
      if (!answer.ok) return answer
      const problem = check(answer.token, rules)
      return problem ? rejected(problem) : answer
    },
    authenticate,
    check,
    isCurrent: token => issuers.get(token.issuer)?.source.isCurrent(token.key) ?? false,
    ready() {
      const states = [...issuers.values()].map(({ name, source }) => ({ name, ...source.status() }))
      if (states.length === 0 || states.some(state => state.loadedOnce)) return { ready: true, reasons: [] }
      const reasons = states.map(
        ({ name, lastError }) => `keys of ${name} were never loaded: ${lastError ?? 'loading'}`,
      )
      return { ready: false, reasons }
    },
    status: () => new Map([...issuers.values()].map(({ name, source }) => [name, source.status()])),
    close() {
      for (const { source } of issuers.values()) source.close()
    },
  }
}

function checkSettings(settings: IssuerSettings, at: number, all: readonly IssuerSettings[]): void {
  const { issuer, algorithms = [] } = settings
  if (all.findIndex(other => other.issuer === issuer) !== at) {
    throw new RescindError('ERR_CONFIG_INVALID', `issuer ${issuer}: is there twice`)
  }
  const unknown = algorithms.find(algorithm => !signatureAlgorithms.includes(algorithm))
  if (unknown === undefined) return
  const message = `issuer ${issuer}: algorithm ${unknown} must be one of ${signatureAlgorithms.join(', ')}`
  throw new RescindError('ERR_CONFIG_INVALID', message)
}

function createIssuers(options: TokenVerifierOptions): ReadonlyMap<string, Issuer> {
  options.issuers.forEach(checkSettings)
  const issuers = new Map<string, Issuer>()
  try {
    for (const settings of options.issuers) issuers.set(settings.issuer, createIssuer(settings, options))
    return issuers
  } catch (error) {
    for (const { source } of issuers.values()) source.close()
    throw error
  }
}

function createIssuer(settings: IssuerSettings, options: TokenVerifierOptions): Issuer {
  const source = createJwksSource({
    issuer: settings.issuer,
    jwksUri: settings.jwksUri,
    refreshSeconds: settings.jwksRefreshSeconds,
    maxAgeSeconds: settings.jwksMaxAgeSeconds,
    retiredSeconds: options.retiredKeysSeconds,
    logger: options.logger,
    fetch: options.fetch,
    timing: options.timing,
    random: options.random,
  })
  const algorithms = new Set(settings.algorithms ?? signatureAlgorithms)
  return { name: settings.issuer, audiences: settings.audiences, algorithms, source }
}

function findIssuer(issuers: ReadonlyMap<string, Issuer>, jwt: ParsedJwt): Issuer | undefined {
  const iss = ownMember(jwt.payload, 'iss')
  return typeof iss === 'string' ? issuers.get(iss) : undefined
}

function verifiedToken(
  text: string,
  jwt: ParsedJwt,
  issuer: Issuer,
  key: VerificationKey,
  times: TokenTimes,
  limits: JwtLimits,
): VerifiedToken {
  const audiences = audiencesOf(jwt.payload)
  const { header, payload } = jwt
  let fingerprint: string | undefined
  return {
    issuer: issuer.name,
    header,
    payload,
    kid: key.kid,
    key,
    ...times,
    audiences,
    audienceAccepted: acceptsAudience(issuer.audiences, audiences),
    fingerprint: () => (fingerprint ??= fingerprintOf(text, limits)),
    signature: () => Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url').toString('base64url'),
  }
}

/** Decodes again, so that a remembered token keeps its text (the cache's key anyway) but not its octets. */
function fingerprintOf(text: string, limits: JwtLimits): string {
  const jwt = parseJwt(text, limits) as ParsedJwt
  return jwtFingerprint(jwt.headerOctets, jwt.payloadOctets)
}

function rejected(reason: TokenProblem): Verification {
  return { ok: false, reason }
}
