/**
 * A relay between an identity provider that answers as a test wants and a log in memory, with its intents on disk.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'node:test'
import type { Match } from '../../revocation/key.ts'
import type { Answer } from '../../revoker/endpoint/answer.ts'
import { readForm } from '../../revoker/endpoint/form.ts'
import type { presets } from '../../revoker/relay/presets.ts'
import type { Relay } from '../../revoker/relay/relay.ts'
import { createRevocationMode } from '../../revoker/revocation-mode.ts'
import { revokerRules } from '../../revoker/revoked-token.ts'
import { hashSecret } from '../../token/secret.ts'
import { createTokenVerifier, type TokenVerifier } from '../../token/verifier.ts'
import { type FakeIdentityProvider, startFakeIdentityProvider } from './identity-provider.ts'
import { createTestIssuer, type TestIssuer } from './issuer.ts'
import { createKeptLogger } from './kept-logger.ts'
import { type PublishedLog, startPublishedLog } from './published-log.ts'
import { plainCodec } from './revocations.ts'
import { basic } from './revoking.ts'
import { testClient } from './stack.ts'
import { rawToken } from './token-issuer.ts'

/** How a relay is to be. */
export interface RelayUnderTestOptions {
  readonly preset: keyof typeof presets
  /** It may ask what a token is. */
  readonly introspects?: boolean
  readonly revokeAnyway?: boolean
  /** 1,000 if not given. */
  readonly failuresPerMinute?: number
}

/** A relay and what it is between. */
export interface RelayUnderTest {
  readonly provider: FakeIdentityProvider
  readonly issuer: TestIssuer
  readonly log: PublishedLog
  readonly relay: Relay
  /** Revokes a token as `testClient`, or as whom the header names. */
  revoke(token: string, fields?: Record<string, string>, authorization?: string): Promise<Answer>
  /** What was published, in order. */
  published(): readonly { readonly match: Match; readonly issuedBefore?: number }[]
  /** Ends the relay, when nothing is under way in it, and starts another one on the same intents. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const now = () => Date.now() / 1_000

async function startRelay(options: RelayUnderTestOptions): Promise<RelayUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'rescind-relay-'))
  const provider = await startFakeIdentityProvider()
  const issuer = await createTestIssuer()
  const log = await startPublishedLog({ nowSeconds: now() })
  const verifier = createTokenVerifier({
    issuers: [{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audiences: [] }],
    logger: createKeptLogger().logger,
    retiredKeysSeconds: 60,
  })
  const hash = await hashSecret(testClient.secret)
  const open = () => openRelay(options, { folder, provider, issuer, log, verifier, hash })
  let mode = await open()
  const relayOf = () => mode.relay as Relay
  return {
    provider,
    issuer,
    log,
    get relay() {
      return relayOf()
    },
    revoke(token, fields = {}, authorization = basic(testClient).authorization) {
      const form = readForm(new URLSearchParams({ token, ...fields }).toString())
      if (typeof form === 'string') throw new Error(form)
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
      return mode.answer({ token, form, headers, address: '127.0.0.1' })
    },
    published: () =>
      log.store.entries.map(({ event }) => {
        const { match, issuedBefore } = plainCodec.decode(event) as { match: Match; issuedBefore?: number }
        return { match, ...(issuedBefore === undefined ? {} : { issuedBefore }) }
      }),
    async restart() {
      await mode.close()
      mode = await open()
    },
    async stop() {
      await mode.close()
      verifier.close()
      await log.close()
      await issuer.stop()
      await provider.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Parts {
  readonly folder: string
  readonly provider: FakeIdentityProvider
  readonly issuer: TestIssuer
  readonly log: PublishedLog
  readonly verifier: TokenVerifier
  readonly hash: string
}

const openRelay = (
  { preset, introspects = false, revokeAnyway = false, failuresPerMinute = 1_000 }: RelayUnderTestOptions,
  { folder, provider, issuer, log, verifier, hash }: Parts,
) =>
  createRevocationMode({
    publicUrl: 'https://revoker.example',
    clients: [{ id: testClient.id, issuer: issuer.issuer, proof: { method: 'secret', hash } }],
    limits: { failuresPerMinute, requestsPerSecond: 1_000 },
    relay: {
      issuer: issuer.issuer,
      preset,
      revokeAnyway,
      folder,
      provider: {
        endpoint: provider.revocationEndpoint,
        introspection: introspects
          ? { endpoint: provider.introspectionEndpoint, clientId: 'relay', clientSecret: 'secret' }
          : undefined,
        tls: {},
        timeoutMs: 1_000,
      },
    },
    verifier,
    rules: () => revokerRules(30, 60, 86_400),
    publisher: log.publisher,
    tokens: undefined,
    responseHeaders: 'wso2',
    tenantDomain: 'carbon.super',
    clockToleranceSeconds: 30,
    graceSeconds: 90,
    longestTokenSeconds: () => 86_400,
    nowSeconds: now,
    logger: createKeptLogger().logger,
  })

/** An access token of `testClient` that verifies. */
export const accessTokenFor = (
  { issuer }: RelayUnderTest,
  claims: Record<string, unknown> = {},
): Promise<string> => issuer.sign({ azp: testClient.id, sub: 'alice', jti: 'one', typ: 'Bearer', ...claims })

/** A refresh token as Keycloak's: nobody but the identity provider can tell whether it is genuine. */
export const refreshTokenFor = ({ issuer }: RelayUnderTest, claims: object = {}): string =>
  rawToken(
    { alg: 'HS512', typ: 'JWT' },
    { iss: issuer.issuer, sub: 'alice', azp: testClient.id, sid: 'session', typ: 'Refresh', ...claims },
    Buffer.alloc(64, 1),
  )

/** What was published matches this, in order. */
export const matchesOf = (relay: RelayUnderTest): readonly Match[] =>
  relay.published().map(({ match }) => match)

/** Starts relays for the tests of a file, and stops them after each test. */
export function relaysOfTests(): (options: RelayUnderTestOptions) => Promise<RelayUnderTest> {
  const opened: RelayUnderTest[] = []
  afterEach(async () => {
    for (const relay of opened.splice(0)) await relay.stop()
  })
  return async options => {
    const relay = await startRelay(options)
    opened.push(relay)
    return relay
  }
}
