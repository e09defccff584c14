/**
 * Who may report issued tokens over HTTP: bearers of a token of `revoker.grants.feeders`.
 *
 * @module
 */
import type { BearerToken } from '../clients/bearer-tokens.ts'

/** A feeder of the configuration. */
export interface Feeder extends BearerToken {
  /** The issuers whose tokens it may report. */
  readonly issuers: readonly string[]
}
