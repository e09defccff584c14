/**
 * The bearer tokens of `revoker.admin.tokens`: known by their scrypt hashes.
 *
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createSecretVerifier } from '../../token/secret.ts'

/** A token of the configuration. */
export interface AdminToken {
  /** Whose it is. */
  readonly name: string
  /** See `hashSecret`. */
  readonly hash: string
}

/** Finds out whose a token is. */
export interface AdminTokens {
  /** The name, if the token verified in the last ten minutes. */
  remembered(token: string): string | undefined
  /**
   * The name, by scrypt. What nobody has takes as long as what somebody has.
   *
   * @throws RescindError ERR_OVERLOADED
   */
  find(token: string): Promise<string | undefined>
}

const rememberMs = 600_000

/** Takes the configured tokens, at most 16. */
export function createAdminTokens(tokens: readonly AdminToken[]): AdminTokens {
  const secrets = createSecretVerifier({ rememberLimit: 0 })
  const processKey = randomBytes(32)
  const known = new Map<string, { readonly name: string; readonly untilMs: number }>()
  const macOf = (token: string) => createHmac('sha256', processKey).update(token).digest('base64')
  return {
    remembered: token => {
      const entry = known.get(macOf(token))
      return entry !== undefined && performance.now() < entry.untilMs ? entry.name : undefined
    },
    find: async token => {
      let found: string | undefined
      for (const { name, hash } of tokens) {
        if (await secrets.verify(`admin ${name}`, token, hash)) found ??= name
      }
      // One token for each hash verifies, so this holds no more than there are hashes.
      if (found !== undefined)
        known.set(macOf(token), { name: found, untilMs: performance.now() + rememberMs })
      return found
    },
  }
}
