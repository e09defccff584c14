/**
 * The token registry: which tokens were issued together, to whom. It knows opaque and refresh tokens, which say nothing
 * themselves; it is told of them by whoever issues them.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { foreignId } from '../../revocation/formats/foreign-format.ts'
import type { Match } from '../../revocation/key.ts'
import type { Publisher } from '../publisher.ts'
import type { FoundToken, Grant, GrantReport, GrantStore, StoredToken, StoreRefusal } from './grant-store.ts'
import { type IssuedToken, type IssuedTokens, type ReadReport, readReport } from './issued-tokens.ts'
import {
  fingerprintOf,
  namedGrantId,
  type PresentedToken,
  presentedToken,
  type TokenKind,
  tokenLimit,
  unnamedGrantId,
} from './presented-token.ts'
import type { RefusalReason } from './refusals.ts'
import { type Opener, seal, unseal } from './sealed.ts'

/** An access token that is to be revoked. */
export interface TokenRevocation {
  readonly match: Match
  /** Seconds. */
  readonly expiresAt: number
  readonly tokenType: string
}

/** A token that is known. Whoever may not revoke it must not be told anything of it. */
export interface RegisteredToken {
  /** What the presented text is. */
  readonly kind: TokenKind
  readonly issuer: string
  readonly clientId: string
  readonly subject: string | undefined
  /** The grant's other token, as far as it was reported with this one; sealed until it is asked for. */
  otherToken(): string | undefined
}

/** Who reports tokens. */
export interface Reporter {
  /** For logs and as the actor of revocations: `feeder:idp`, `inbox:events`. */
  readonly actor: string
  /** The issuers that it may speak for. */
  readonly issuers: readonly string[]
}

/** Knows which tokens belong together. */
export interface TokenRegistry {
  /**
   * Looks for a token in both key spaces; the hint (RFC 7009 section 2.1) says which one counts first.
   *
   * @throws RescindError ERR_GRANTS_UNAVAILABLE
   */
  find(token: string, hint: TokenKind | undefined): Promise<RegisteredToken | undefined>
  /**
   * What must be published to revoke a token: an access token itself; of a refresh token every access token of its grant
   * that has not expired. Of a refresh token it is remembered first, durably, so that what is issued to this grant, and
   * reported later or at this moment, is revoked on arrival: so nothing is between the two.
   *
   * @throws RescindError ERR_GRANTS_UNAVAILABLE
   */
  markRevoked(found: RegisteredToken): Promise<readonly TokenRevocation[]>
  /**
   * Takes reports; each is stored, or not, by itself. Resolves when all are stored, and when the access tokens of grants
   * that were revoked are in the event log. To repeat it is harmless.
   *
   * @throws RescindError ERR_GRANT_FORBIDDEN if one is of an issuer that the reporter may not speak for, then nothing was
   *   stored; ERR_GRANT_REFUSED if one cannot be stored; ERR_GRANTS_UNAVAILABLE, or what the publisher throws: to be repeated.
   */
  add(reports: readonly IssuedTokens[], reporter: Reporter): Promise<void>
}

/** What a registry works on. */
export interface TokenRegistryOptions {
  readonly store: GrantStore
  readonly publish: Publisher['publish']
  /** Wall clock, seconds. */
  readonly nowSeconds: () => number
  /** The longest time for which a token that exists now can be accepted, seconds. */
  readonly longestTokenSeconds: () => number
  /** Told of each report that was refused. */
  readonly onRefused: (reason: RefusalReason) => void
}

/** Creates a registry. */
export function createTokenRegistry(options: TokenRegistryOptions): TokenRegistry {
  const { store, publish, nowSeconds, longestTokenSeconds, onRefused } = options
  const foundTokens = new WeakMap<RegisteredToken, FoundToken>()

  const checkIssuers = (reports: readonly IssuedTokens[], issuers: readonly string[]): void => {
    if (reports.every(({ issuer }) => issuers.includes(issuer))) return
    onRefused('issuer')
    throw new RescindError('ERR_GRANT_FORBIDDEN', 'issuer: not one that this sender may speak for')
  }

  const read = (report: IssuedTokens): ReadReport => {
    try {
      return readReport(report, { now: nowSeconds(), longestToken: longestTokenSeconds() })
    } catch (error) {
      onRefused('contradiction')
      throw error
    }
  }

  const addOne = async (report: ReadReport, actor: string): Promise<void> => {
    const outcome = await store.add(sealedReport(report, await grantIdOf(report, store)))
    if (outcome !== 'stored' && outcome !== 'stored-revoked') {
      onRefused(outcome)
      throw new RescindError('ERR_GRANT_REFUSED', whys[outcome])
    }
    if (outcome === 'stored' || report.access === undefined) return
    const revocation = revocationOf(report.grant, report.access.stored)
    const reason = 'its grant was revoked before it was reported'
    await publish({ ...revocation, id: foreignId('grants', revocation), actor, reason })
  }

  return {
    async find(text, hint) {
      if (text.length > tokenLimit) return undefined
      const presented = presentedToken(text)
      const kinds: TokenKind[] =
        hint === 'refresh_token' ? ['refresh_token', 'access_token'] : ['access_token', 'refresh_token']
      const found = await store.find(kinds.map(kind => fingerprintOf(kind, presented)))
      if (found === undefined) return undefined
      const registered = registeredToken(found, presented)
      foundTokens.set(registered, found)
      return registered
    },
    async markRevoked(registered) {
      const found = foundTokens.get(registered) as FoundToken
      if (registered.kind === 'access_token') return [revocationOf(found.grant, found.token)]
      // Whatever was issued before now, and is reported late, has expired by then.
      const tokens = await store.revoke(found, nowSeconds() + longestTokenSeconds())
      return tokens.filter(({ form }) => form !== 'refresh').map(token => revocationOf(found.grant, token))
    },
    async add(reports, { actor, issuers }) {
      checkIssuers(reports, issuers)
      const adding = await Promise.allSettled(reports.map(async report => addOne(read(report), actor)))
      const failures = adding.filter(result => result.status === 'rejected').map(({ reason }) => reason)
      // What can be repeated comes first: it then brings up the others again.
      const failure = failures.find(error => !isRefusal(error)) ?? failures[0]
      if (failure === undefined) return
      if (reports.length === 1 || !isRefusal(failure)) throw failure
      const index = adding.findIndex(({ status }) => status === 'rejected')
      throw new RescindError('ERR_GRANT_REFUSED', `report ${index} of the list: ${failure.message}`)
    },
  }
}

const isRefusal = (error: unknown): error is RescindError =>
  error instanceof RescindError && error.code === 'ERR_GRANT_REFUSED'

const whys: Readonly<Record<StoreRefusal, string>> = {
  'other-client': 'grantId: it is the grant of another client',
  'other-grant': 'one of the tokens belongs to another grant',
  'too-many-tokens': 'the grant has too many tokens that have not expired',
}

function registeredToken({ grant, token, ...found }: FoundToken, presented: PresentedToken): RegisteredToken {
  const kind = token.form === 'refresh' ? 'refresh_token' : 'access_token'
  return {
    kind,
    issuer: grant.issuer,
    clientId: grant.clientId,
    subject: grant.subject,
    otherToken: () => unseal(token.sealed, openerOf(kind, presented, found)),
  }
}

/** The one that is named, or the one that has a token of the report, or a new one. */
async function grantIdOf(report: ReadReport, store: GrantStore): Promise<Buffer> {
  const { grant, grantName, access, refresh } = report
  if (grantName !== undefined) return namedGrantId(grant.issuer, grantName)
  const fingerprints = [
    ...(refresh ? [fingerprintOf('refresh_token', refresh.presented)] : []),
    ...(access ? [fingerprintOf('access_token', access.presented)] : []),
  ]
  const found = await store.find(fingerprints)
  return found?.grantId ?? unnamedGrantId(fingerprints[0] as Buffer)
}

/** Each token with the other one sealed under it. */
function sealedReport({ grant, access, refresh }: ReadReport, grantId: Buffer): GrantReport {
  const member = (kind: TokenKind, issued: IssuedToken, other: IssuedToken | undefined) => {
    const fingerprint = fingerprintOf(kind, issued.presented)
    const opener = openerOf(kind, issued.presented, { grantId, fingerprint })
    const sealed = other === undefined ? Buffer.alloc(0) : seal(other.text, opener)
    return { fingerprint, token: { ...issued.stored, sealed } }
  }
  const tokens = [
    ...(access ? [member('access_token', access, refresh)] : []),
    ...(refresh ? [member('refresh_token', refresh, access)] : []),
  ]
  return { grantId, grant, tokens }
}

const openerOf = (
  kind: TokenKind,
  { octets }: PresentedToken,
  { grantId, fingerprint }: Pick<FoundToken, 'grantId' | 'fingerprint'>,
): Opener => ({ kind, octets, belongsTo: Buffer.concat([grantId, fingerprint]) })

const revocationOf = (
  { issuer }: Grant,
  { form, name, expiresAt }: Omit<StoredToken, 'sealed'>,
): TokenRevocation => ({
  match: form === 'jti' ? { iss: issuer, jti: name } : { iss: issuer, $token: name },
  expiresAt,
  tokenType: form === 'opaque' ? 'opaque' : 'JWT',
})
