/**
 * How long a token may live at most, depending on when it was issued. A cut is kept as long as a token issued before it
 * can live, so a raised limit must not let in older tokens: the cuts for those may be forgotten already.
 *
 * @module
 */
import { issuedBeforeAheadLimit } from './revocation.ts'
import { secondsUp } from './time.ts'

/** Most times that the limit can be raised in a log. */
export const lifetimeRaisesLimit = 16

/** For how much longer after a raise tokens are judged by the lower limit: cuts may be that far ahead of a clock. */
export const raiseDelaySeconds = 300 + issuedBeforeAheadLimit

/** A lower limit, which holds for tokens with iat at or before a time. Both in seconds. */
export interface EarlierLifetime {
  readonly until: number
  readonly seconds: number
}

/** The limit now and those before it, oldest first. */
export interface TokenLifetimes {
  /** Longest exp - iat, seconds. */
  readonly seconds: number
  readonly earlier: readonly EarlierLifetime[]
}

/** What holds until the log declares something. */
export const defaultTokenLifetimes: TokenLifetimes = { seconds: 30 * 24 * 3600, earlier: [] }

/** The limit for a token, by its iat. */
export const lifetimeAt = ({ seconds, earlier }: TokenLifetimes, issuedAt: number): number =>
  earlier.find(({ until }) => issuedAt <= until)?.seconds ?? seconds

/**
 * The limits after a declaration. The first one of a log holds from the beginning; later ones only raise.
 *
 * @returns undefined if the limit was raised too often already.
 */
export function declareLifetime(
  known: TokenLifetimes | undefined,
  declaredSeconds: number,
  declaredAt: number,
): TokenLifetimes | undefined {
  const seconds = secondsUp(declaredSeconds)
  if (known === undefined) return { seconds, earlier: [] }
  if (seconds <= known.seconds) return known
  if (known.earlier.length >= lifetimeRaisesLimit) return undefined
  const until = Math.max(secondsUp(declaredAt + raiseDelaySeconds), known.earlier.at(-1)?.until ?? 0)
  return { seconds, earlier: [...known.earlier, { until, seconds: known.seconds }] }
}
