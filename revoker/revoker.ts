/**
 * The revoker: takes revocations over HTTP, authenticates them, and appends them to the log.
 *
 * @module
 */
import { addGauge } from '../runtime/gauge.ts'
import { addAdminApi } from './admin/admin-api.ts'
import { confirmAnswer } from './confirmation/confirm-answer.ts'
import { addMetadata } from './endpoint/metadata.ts'
import { addRevokeEndpoint } from './endpoint/revoke-endpoint.ts'
import { addGrantsApi } from './grants/grants-api.ts'
import type { TokenRegistry } from './grants/token-registry.ts'
import { createHttpServer, listenHttp, listenHttps } from './http-server.ts'
import type { RevokerOptions } from './options.ts'
import { createParts } from './parts.ts'
import type { Publisher } from './publisher.ts'
import { createRevocationMode } from './revocation-mode.ts'

/** Time for requests that are under way when it is stopped: Node itself would wait for one that never comes to an end. */
const underWayLimitMs = 5_000

/** A running revoker. */
export interface Revoker {
  readonly port: number
  /** For importers in the same process. */
  readonly publisher: Publisher
  /** The same; undefined if there is none. */
  readonly tokens: TokenRegistry | undefined
  /** Lets requests that are under way end, then stops. */
  close(): Promise<void>
}

/**
 * Starts a revoker. It takes requests when the log was read to its end and declares the longest token lifetime.
 *
 * @throws RescindError ERR_ADDRESS_IN_USE if it cannot listen; what the folders of relay and registry are refused with.
 */
export async function startRevoker(options: RevokerOptions): Promise<Revoker> {
  const { logger, publicUrl, grants, https } = options
  const parts = await createParts(options)
  const { publisher, tokens, confirmer, onRefused } = parts
  const mode = await createRevocationMode({ ...options, ...parts })
  const { relay } = mode
  if (relay !== undefined) {
    const help =
      'Revocations at the identity provider that wait, or of which nobody knows whether they happened.'
    addGauge(options.registry, 'rescind_revoker_relay_unresolved', help, () => relay.unresolved().length)
  }
  const server = createHttpServer(logger, options.trustedProxies)
  await addRevokeEndpoint(server, {
    ...options,
    ...mode,
    confirm: async (request, reply, { publication }) =>
      publication && confirmAnswer(request, reply, publication, confirmer),
  })
  addMetadata(server, { publicUrl, authMethods: mode.authMethods })
  await addAdminApi(server, { ...options, ...parts, relay })
  addGrantsApi(server, grants && tokens && { ...grants, tokens, onRefused })
  const port = await listenHttp(server, options.address)
  const overTls = https && (await listenHttps(server, https.address, https.files))
  return {
    port,
    publisher,
    tokens,
    close: async () => {
      parts.release()
      // Those who follow events are cut off by the one, and are connected to the other.
      const closing = Promise.all([server.close(), overTls?.close()])
      const giveUp = setTimeout(() => {
        server.server.closeAllConnections()
        overTls?.endConnections()
      }, underWayLimitMs)
      await closing.finally(() => clearTimeout(giveUp))
      await mode.close()
      await parts.close()
    },
  }
}
