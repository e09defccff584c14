/**
 * Who may report issued tokens over HTTP: bearers of a token of `revoker.grants.feeders`.
 *
 * @module
 */
import type { SecretVerifier } from '../../token/secret.ts'

/** A feeder of the configuration. */
export interface Feeder {
  readonly name: string
  /** See `hashSecret`. */
  readonly hash: string
  /** The issuers whose tokens it may report. */
  readonly issuers: readonly string[]
}

const bearer = /^bearer +(\S+)$/i

/**
 * The feeder that an Authorization header proves; undefined if it proves none.
 *
 * @throws RescindError ERR_OVERLOADED
 */
export async function feederOf(
  authorization: string | undefined,
  feeders: readonly Feeder[],
  secrets: SecretVerifier,
): Promise<Feeder | undefined> {
  const token = bearer.exec(authorization ?? '')?.[1]
  if (token === undefined) return undefined
  for (const feeder of feeders) {
    if (await secrets.verify(`feeder ${feeder.name}`, token, feeder.hash)) return feeder
  }
  return undefined
}
