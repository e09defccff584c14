/**
 * The OAuth clients of the configuration.
 *
 * @module
 */
import type { KeySource } from '../../token/signature.ts'

/** How a client proves who it is. */
export type ClientProof =
  /** A secret, by Basic or post body; see `hashSecret`. */
  | { readonly method: 'secret'; readonly hash: string }
  /** A signed assertion (private_key_jwt). */
  | { readonly method: 'key'; readonly keys: KeySource }
  /** A public client proves nothing: its client_id is enough. */
  | { readonly method: 'none' }

/** A client of the configuration. */
export interface ConfiguredClient {
  readonly id: string
  /** The issuer whose tokens it may revoke. */
  readonly issuer: string
  readonly proof: ClientProof
}
