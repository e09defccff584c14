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

/** A declaration that a log holds, and where it last does. */
export interface DeclaredLifetime {
  readonly seconds: number
  /** Seconds. */
  readonly declaredAt: number
  readonly position: number
}

/**
 * The declarations that count, with one more: in the order of their times, whatever their order in the log. The first
 * one holds from the beginning; later ones only raise.
 *
 * @returns undefined if the limit was raised too often already.
 */
export function declareLifetime(
  known: readonly DeclaredLifetime[],
  declared: DeclaredLifetime,
): readonly DeclaredLifetime[] | undefined {
  const isSame = (one: DeclaredLifetime) =>
    one.seconds === declared.seconds && one.declaredAt === declared.declaredAt
  const sorted = [...known.filter(one => !isSame(one)), declared].sort(
    (one, other) => one.declaredAt - other.declaredAt || other.seconds - one.seconds,
  )
  let longest = 0
  const raises = sorted.filter(({ seconds }) => {
    const isRaise = seconds > longest
    longest = Math.max(longest, seconds)
    return isRaise
  })
  return raises.length > lifetimeRaisesLimit + 1 ? undefined : raises
}

/** The limits that declarations, as {@link declareLifetime} gives them, lead to. */
export function lifetimesOf(declarations: readonly DeclaredLifetime[]): TokenLifetimes {
  const last = declarations.at(-1)
  if (last === undefined) return defaultTokenLifetimes
  const earlier = declarations.slice(1).map((raise, index) => ({
    until: secondsUp(raise.declaredAt + raiseDelaySeconds),
    seconds: secondsUp((declarations[index] as DeclaredLifetime).seconds),
  }))
  return { seconds: secondsUp(last.seconds), earlier }
}
