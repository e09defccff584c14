/**
 * The parts of a revoker that its routes share, and what it does in the background.
 *
 * @module
 */
import type { VerifyRules } from '../token/verifier.ts'
import { createAdapterSources } from './confirmation/adapter-sources.ts'
import type { Confirmer } from './confirmation/confirmation.ts'
import { createConfirmer, defaultConfirmationsLimit } from './confirmation/confirmer.ts'
import { type AskEnforcers, createAskEnforcers } from './confirmation/known-enforcers.ts'
import { countRefusals, type RefusalReason } from './grants/refusals.ts'
import { createTokenRegistry, type TokenRegistry } from './grants/token-registry.ts'
import { keepLifetimeDeclared } from './lifetime-declaration.ts'
import { trimLog } from './log-trimming.ts'
import type { RevokerOptions } from './options.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { revokerRules } from './revoked-token.ts'

/** The parts. */
export interface RevokerParts {
  readonly publisher: Publisher
  /** Knows opaque and refresh tokens; undefined without one. */
  readonly tokens: TokenRegistry | undefined
  /** Counts what feeders report and what is refused. */
  readonly onRefused: (reason: RefusalReason) => void
  readonly confirmer: Confirmer
  /** Undefined: there are no adapters to ask. */
  readonly enforcers: AskEnforcers | undefined
  /** By which tokens are verified. */
  readonly rules: () => VerifyRules
  /** For how long after its expiry a token may still pass somewhere, seconds. */
  readonly graceSeconds: number
  /** The longest time for which a token may live, seconds. */
  readonly longestTokenSeconds: () => number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
  /** Answers those who wait for enforcers. */
  release(): void
  close(): Promise<void>
}

/** Creates the parts when the log was read to its end and declares the longest token lifetime. */
export async function createParts(options: RevokerOptions): Promise<RevokerParts> {
  const { follower, clockToleranceSeconds, maxClockDifferenceSeconds, grants, registry } = options
  const declaration = keepLifetimeDeclared(options)
  await declaration.declared
  const graceSeconds = clockToleranceSeconds + maxClockDifferenceSeconds
  const trimming = trimLog({ ...options, graceSeconds })
  const nowSeconds = () => Date.now() / 1000
  const longestTokenSeconds = () => follower.state.lifetimes.seconds
  const publisher = createPublisher({ ...options, graceSeconds, nowSeconds })
  const sources = createAdapterSources({
    ...options.confirmation,
    connectionsLimit: defaultConfirmationsLimit,
  })
  const confirmer = createConfirmer({ ...options, sources })
  const onRefused = grants === undefined ? () => undefined : countRefusals(registry)
  return {
    publisher,
    tokens:
      grants &&
      createTokenRegistry({
        ...grants,
        publish: publisher.publish,
        nowSeconds,
        longestTokenSeconds: () => longestTokenSeconds() + graceSeconds,
        onRefused,
      }),
    onRefused,
    confirmer,
    enforcers: sources.isEmpty ? undefined : createAskEnforcers(sources, follower),
    rules: () => revokerRules(clockToleranceSeconds, maxClockDifferenceSeconds, longestTokenSeconds()),
    graceSeconds,
    longestTokenSeconds,
    nowSeconds,
    release: () => confirmer.close(),
    close: async () => {
      declaration.close()
      sources.close()
      await trimming.close()
    },
  }
}
