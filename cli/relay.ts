/**
 * The relay of the configuration.
 *
 * @module
 */
import type { RelaySettings } from '../revoker/revocation-mode.ts'
import { readClientTls } from '../runtime/client-tls.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import type { Config } from '../runtime/config/schema.ts'

/**
 * Settings of the relay; undefined if it is off.
 *
 * @throws RescindError ERR_CONFIG_INVALID for a file of its TLS settings that cannot be read.
 */
export function relayOf({ revoker: { relay }, issuers }: Config): RelaySettings | undefined {
  const { endpoint, introspection } = relay
  if (endpoint === undefined) return undefined
  return {
    // The configuration's checks allow this to be left out only with exactly one issuer.
    issuer: relay.issuer ?? issuers[0]?.issuer ?? '',
    preset: relay.preset,
    revokeAnyway: relay.revokeAnyway,
    folder: relay.folder,
    provider: {
      endpoint,
      introspection:
        introspection.endpoint === undefined
          ? undefined
          : {
              endpoint: introspection.endpoint,
              clientId: introspection.clientId ?? '',
              clientSecret: introspection.clientSecret ?? '',
            },
      tls: readClientTls(relay.tls, 'revoker.relay.tls'),
      timeoutMs: parseDurationMs(relay.timeout),
    },
  }
}
