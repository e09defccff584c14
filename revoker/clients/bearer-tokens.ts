/**
 * Bearer tokens of the configuration, known by their scrypt hashes: of administrators, and of those who report grants.
 *
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createSecretVerifier } from '../../token/secret.ts'
import { addressKey, createTokenBuckets, type TokenBuckets } from './token-buckets.ts'

/** A token of the configuration. */
export interface BearerToken {
  /** Whose it is. */
  readonly name: string
  /** See `hashSecret`. */
  readonly hash: string
}

/** Whose a token is; nobody's; or how long to wait before the next guess, milliseconds. */
export type Bearer = { readonly name: string } | 'unknown' | { readonly waitMs: number }

/** Finds out whose a token is. */
export interface BearerTokens {
  /**
   * What nobody has takes as long as what somebody has, and counts as a guess from its address. A token that verified in
   * the last ten minutes costs next to nothing.
   *
   * @throws RescindError ERR_OVERLOADED
   */
  identify(token: string, address: string): Promise<Bearer>
}

const rememberMs = 600_000

const bearer = /^bearer +(\S+)$/i

/** The token of an Authorization header (RFC 6750 section 2.1); undefined without one. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  bearer.exec(authorization ?? '')?.[1]

/** Counts guesses by address: ten at once, then one in five seconds. */
export const createGuesses = (): TokenBuckets =>
  createTokenBuckets({ perSecond: 0.2, burst: 10, keysLimit: 10_000 })

/**
 * Takes the configured tokens: each costs a scrypt for each guess.
 *
 * @param guesses shared with other ways in, if there are any.
 */
export function createBearerTokens(
  tokens: readonly BearerToken[],
  guesses: TokenBuckets = createGuesses(),
): BearerTokens {
  const secrets = createSecretVerifier({ rememberLimit: 0 })
  const processKey = randomBytes(32)
  const known = new Map<string, { readonly name: string; readonly untilMs: number }>()

  const find = async (token: string): Promise<string | undefined> => {
    let found: string | undefined
    for (const { name, hash } of tokens) if (await secrets.verify(name, token, hash)) found ??= name
    return found
  }

  /** The same token in several requests at once costs one look. */
  const underWay = new Map<string, Promise<Bearer>>()
  const judge = async (token: string, mac: string, from: string): Promise<Bearer> => {
    const name = await find(token)
    if (name === undefined) return 'unknown'
    guesses.give(from)
    // One token for each hash verifies, so this holds no more than there are hashes.
    known.set(mac, { name, untilMs: performance.now() + rememberMs })
    return { name }
  }

  return {
    async identify(token, address) {
      const mac = createHmac('sha256', processKey).update(token).digest('base64')
      const entry = known.get(mac)
      if (entry !== undefined && performance.now() < entry.untilMs) return { name: entry.name }
      const asked = underWay.get(mac)
      if (asked !== undefined) return asked
      const from = addressKey(address)
      // Taken before and given back: guesses that come together count too.
      const waitMs = guesses.take(from)
      if (waitMs > 0) return { waitMs }
      const answer = judge(token, mac, from).finally(() => underWay.delete(mac))
      underWay.set(mac, answer)
      return answer
    },
  }
}
