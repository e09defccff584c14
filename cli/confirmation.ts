/**
 * Confirmed revocation as a revoker takes it: the adapters of the configuration, and the one of this process.
 *
 * @module
 */
import type { Adapter } from '../adapter/adapter.ts'
import type { AdapterSource, AdapterSourcesOptions } from '../revoker/confirmation/adapter-sources.ts'
import { readClientTls } from '../runtime/client-tls.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import type { Config } from '../runtime/config/schema.ts'

/**
 * Which adapters are asked.
 *
 * @throws RescindError ERR_CONFIG_INVALID for a file of the TLS settings that cannot be read.
 */
export function confirmationOf(
  { revoker: { confirmation }, enforcer }: Config,
  adapter: Pick<Adapter, 'statusAt'> | undefined,
): Omit<AdapterSourcesOptions, 'connectionsLimit'> {
  return {
    adapters: confirmation.adapters,
    tls: readClientTls(confirmation.tls, 'revoker.confirmation.tls'),
    rememberedMs: parseDurationMs(enforcer.maxStaleness),
    own: adapter && ownSource(adapter),
  }
}

const name = 'of this process'

const ownSource = ({ statusAt }: Pick<Adapter, 'statusAt'>): AdapterSource => ({
  ask: async (question, waitMs, signal) => {
    const view = await statusAt(question, waitMs, signal)
    return view === undefined
      ? { adapter: name, problem: 'too many wait for it already' }
      : { adapter: name, view }
  },
})
