/**
 * A token verifier over a JWKS server and clocks by hand, made anew for each test of a `describe`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { afterEach, before, beforeEach } from 'node:test'
import {
  createTokenVerifier,
  type IssuerSettings,
  type TokenVerifier,
  type Verification,
  type VerifiedToken,
} from '../../token/verifier.ts'
import { until } from './condition.ts'
import {
  createKeptLog,
  createManualTiming,
  generatePair,
  type KeptLog,
  type KeyServer,
  type ManualTiming,
  type SigningPair,
  startKeyServer,
} from './token-issuer.ts'

export const someIssuer = 'https://op.example'
/** What the wall clock shows at the start of each test, in seconds. */
export const someNow = 1_700_000_000
export const someRules = { clockToleranceSeconds: 30, maxTokenLifetimeSeconds: 2_592_000 }
/** Claims that someRules accept at someNow. */
export const someClaims = {
  iss: someIssuer,
  aud: 'api',
  sub: 'user',
  jti: 'token-1',
  iat: someNow - 5,
  exp: someNow + 300,
}
/** The answer when nothing could be decided. */
export const keysUnavailable: Verification = { ok: false, unavailable: true, reason: 'keys_unavailable' }

/** What a test finds; the server publishes `rsa` and `ec` at /jwks. */
export interface VerifierFixture {
  server: KeyServer
  timing: ManualTiming
  log: KeptLog
  verifier: TokenVerifier
  /** The wall clock. */
  nowMs: number
  rsa: SigningPair
  rsa2: SigningPair
  ec: SigningPair
  ed: SigningPair
  /** Creates the verifier for someIssuer (with these settings) and for more issuers. */
  create(settings?: Partial<IssuerSettings>, more?: readonly IssuerSettings[]): void
  /** Creates it and waits until the keys are loaded. */
  start(settings?: Partial<IssuerSettings>, retiredKeysSeconds?: number): Promise<void>
  /** 'ok', or why the token is rejected. */
  verdict(token: string, rules?: object): Promise<string>
  /** The token, if its signature verifies; else the test fails. */
  genuine(token: string): Promise<VerifiedToken>
}

/** The same key, published and used without kid. */
export function withoutKid(pair: SigningPair): SigningPair {
  const { kid: _, ...jwk } = pair.jwk
  return { ...pair, jwk, kid: undefined }
}

/** Registers the hooks of the fixture with the `describe` that calls it. */
export function useVerifier(): VerifierFixture {
  const fixture = { create, start, verdict, genuine } as VerifierFixture

  function create(
    settings: Partial<IssuerSettings> = {},
    more: readonly IssuerSettings[] = [],
    retiredKeysSeconds?: number,
  ) {
    const { server, timing, log } = fixture
    const issuer = { issuer: someIssuer, jwksUri: `${server.origin}/jwks`, audiences: ['api'], ...settings }
    const now = () => fixture.nowMs
    const issuers = [issuer, ...more]
    const options = { issuers, logger: log, timing, now, random: () => 0.5, retiredKeysSeconds }
    fixture.verifier = createTokenVerifier(options)
  }
  async function start(settings: Partial<IssuerSettings> = {}, retiredKeysSeconds?: number) {
    create(settings, [], retiredKeysSeconds)
    await until('the keys are loaded', () => fixture.verifier.ready().ready)
  }
  async function verdict(token: string, rules: object = {}) {
    const answer = await fixture.verifier.verify(token, { ...someRules, ...rules })
    return answer.ok ? 'ok' : answer.reason
  }
  async function genuine(token: string) {
    const answer = await fixture.verifier.authenticate(token)
    if (!answer.ok) assert.fail(`rejected: ${answer.reason}`)
    return answer.token
  }

  before(async () => {
    fixture.rsa = await generatePair('RS256', 'rsa')
    fixture.rsa2 = await generatePair('RS256', 'rsa2')
    fixture.ec = await generatePair('ES256', 'ec')
    fixture.ed = await generatePair('EdDSA', 'ed')
  })
  beforeEach(async () => {
    fixture.server = await startKeyServer()
    fixture.server.publish([fixture.rsa, fixture.ec])
    fixture.timing = createManualTiming()
    fixture.log = createKeptLog()
    fixture.nowMs = someNow * 1000
  })
  afterEach(async () => {
    ;(fixture.verifier as TokenVerifier | undefined)?.close()
    await fixture.server.close()
  })
  return fixture
}
