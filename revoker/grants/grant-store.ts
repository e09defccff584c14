/**
 * A store of grants: which tokens belong together, and whose they are. It holds no token, only fingerprints and what is
 * sealed (sealed.ts).
 *
 * @module
 */

/** Bytes of an id: of a grant, and of a token's fingerprint. */
export const idBytes = 16

/** Most tokens of one grant that have not expired; of refresh tokens the last. */
export const grantTokensLimit = 1_000

/** Whose a grant is. */
export interface Grant {
  readonly issuer: string
  readonly clientId: string
  /** The user; absent where there is none, or nobody said. */
  readonly subject?: string
  readonly scopes?: readonly string[]
}

/**
 * A refresh token, or an access token by what revokes it: `jti` of a JWT, `$token` of a JWT (jwt) or of an opaque token.
 */
export type TokenForm = 'refresh' | 'jti' | 'jwt' | 'opaque'

/** What is kept of a token. */
export interface StoredToken {
  readonly form: TokenForm
  /** The `jti` or `$token`; empty for a refresh token. */
  readonly name: string
  /** Seconds. */
  readonly expiresAt: number
  /** The grant's other token, sealed; empty if none was reported with this one. */
  readonly sealed: Buffer
}

/** Tokens of a grant that are to be remembered. */
export interface GrantReport {
  /** {@link idBytes}. */
  readonly grantId: Buffer
  readonly grant: Grant
  readonly tokens: readonly { readonly fingerprint: Buffer; readonly token: StoredToken }[]
}

/** The grant is of another client, a token belongs to another grant, or the grant has too many tokens. */
export type StoreRefusal = 'other-client' | 'other-grant' | 'too-many-tokens'

/** What became of a report: stored, in a grant that is revoked or not; or why nothing was stored. */
export type ReportOutcome = 'stored' | 'stored-revoked' | StoreRefusal

/** A token that is known. */
export interface FoundToken {
  readonly grantId: Buffer
  readonly grant: Grant
  readonly fingerprint: Buffer
  readonly token: StoredToken
}

/**
 * Each method is one atomic step, and durable when it resolves.
 *
 * @throws RescindError ERR_GRANTS_UNAVAILABLE from each of them; a report may then have been stored.
 */
export interface GrantStore {
  /** The first of the fingerprints that is known. All of them are looked up, whatever is found. */
  find(fingerprints: readonly Buffer[]): Promise<FoundToken | undefined>
  /**
   * Stores a report, or nothing of it. A token that is known keeps the later expiry, and what it had sealed unless there
   * is something new; subject and scopes are those that were said last. In a full grant the refresh tokens that expire
   * first are forgotten for new ones: of those that were rotated the last are of use.
   */
  add(report: GrantReport): Promise<ReportOutcome>
  /**
   * Marks a grant as revoked, at least until a time in seconds, and as long as it has tokens.
   *
   * @returns its tokens that have not expired, in the same step: whatever is added later is told `stored-revoked`.
   */
  revoke(found: FoundToken, until: number): Promise<readonly StoredToken[]>
  /** How many grants there are, where that is cheap to know. */
  readonly size?: () => number
  close(): Promise<void>
}

/** What every store needs to know. */
export interface GrantStoreTimes {
  /** For how long after its expiry a token may still pass somewhere, seconds: so long it counts as not expired. */
  readonly graceSeconds: number
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
}
