/**
 * Who decides about the tokens that clients revoke: what is known here (standalone), or an identity provider (relay).
 *
 * @module
 */
import type { Logger } from '../runtime/logger.ts'
import type { TokenVerifier, VerifyRules } from '../token/verifier.ts'
import { createAssertionVerifier } from './clients/assertions.ts'
import {
  type ClientLimits,
  createClientAuthenticator,
  createFailureLimits,
} from './clients/authentication.ts'
import type { ConfiguredClient } from './clients/configured-client.ts'
import { authMethodsOf } from './endpoint/metadata.ts'
import { headersOfAll, type ResponseHeaders } from './endpoint/response-headers.ts'
import type { AnswerRevocation } from './endpoint/revocation-request.ts'
import { revokePaths } from './endpoint/revoke-endpoint.ts'
import type { TokenRegistry } from './grants/token-registry.ts'
import type { Publisher } from './publisher.ts'
import { createIdentityProvider, type IdentityProviderOptions } from './relay/identity-provider.ts'
import { openIntents } from './relay/intents.ts'
import { presets } from './relay/presets.ts'
import { createRelay, type Relay } from './relay/relay.ts'
import { createStandalone } from './standalone/standalone.ts'

/** Settings of a relay. */
export interface RelaySettings {
  /** The identity provider's tokens name it so. */
  readonly issuer: string
  readonly preset: keyof typeof presets
  /** Revoke access tokens that verify while the identity provider cannot be reached. */
  readonly revokeAnyway: boolean
  /** Where it is kept what is being revoked. */
  readonly folder: string
  readonly provider: IdentityProviderOptions
}

/** What the two ways share. */
export interface ModeOptions {
  readonly publicUrl: string
  readonly clients: readonly ConfiguredClient[]
  readonly limits: ClientLimits
  readonly relay: RelaySettings | undefined
  readonly verifier: TokenVerifier
  readonly rules: () => VerifyRules
  readonly publisher: Publisher
  /** Knows opaque and refresh tokens; undefined without one. */
  readonly tokens: TokenRegistry | undefined
  readonly responseHeaders: ResponseHeaders
  readonly tenantDomain: string
  readonly clockToleranceSeconds: number
  /** For how long after its expiry a token may still pass somewhere, seconds. */
  readonly graceSeconds: number
  /** The longest time for which a token may live, seconds. */
  readonly longestTokenSeconds: () => number
  readonly nowSeconds: () => number
  readonly logger: Logger
}

/** How the revocation endpoint comes to its answers. */
export interface RevocationMode {
  readonly answer: AnswerRevocation
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether answers can be scripts. */
  readonly jsonp: boolean
  /** How clients prove who they are; undefined if that is the identity provider's to say. */
  readonly authMethods: readonly string[] | undefined
  readonly relay: Relay | undefined
  close(): Promise<void>
}

/**
 * Creates the way that is configured.
 *
 * @throws RescindError ERR_DATA_FOLDER, ERR_LOG_IN_USE if the relay's folder cannot be used.
 */
export async function createRevocationMode(options: ModeOptions): Promise<RevocationMode> {
  const { publicUrl, clients, limits, responseHeaders } = options
  const assertions = createAssertionVerifier({
    ...options,
    audiences: [publicUrl, ...revokePaths.map(path => publicUrl + path)],
  })
  const authenticator = createClientAuthenticator(clients, assertions, limits)
  const standalone = createStandalone({ ...options, authenticator })
  if (options.relay === undefined) {
    return {
      answer: standalone,
      headers: headersOfAll(responseHeaders),
      jsonp: true,
      authMethods: authMethodsOf(clients.map(({ proof }) => proof.method)),
      relay: undefined,
      close: async () => undefined,
    }
  }
  const { provider, preset, revokeAnyway, folder, issuer } = options.relay
  const relay = await createRelay({
    ...options,
    issuer,
    provider: createIdentityProvider(provider),
    preset: presets[preset],
    timeoutSeconds: provider.timeoutMs / 1_000,
    intents: await openIntents(folder),
    failures: createFailureLimits(limits),
    assertions,
    anyway: revokeAnyway ? standalone : undefined,
  })
  return {
    answer: relay.answer,
    headers: {},
    jsonp: false,
    authMethods: undefined,
    relay,
    close: relay.close,
  }
}
