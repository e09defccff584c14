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

/** The limit now and those before it. */
export interface TokenLifetimes {
  /** Longest exp - iat, seconds. */
  readonly seconds: number
  readonly earlier: readonly EarlierLifetime[]
}

/** What holds until the log declares something. */
export const defaultTokenLifetimes: TokenLifetimes = { seconds: 30 * 24 * 3600, earlier: [] }

/** The limit for a token, by its iat: the lowest that holds for it. */
export function lifetimeAt({ seconds, earlier }: TokenLifetimes, issuedAt: number): number {
  let lowest = seconds
  for (const limit of earlier) if (issuedAt <= limit.until && limit.seconds < lowest) lowest = limit.seconds
  return lowest
}

/**
 * What goes on to hold for tokens of before when a log was lost: the log after it declares a limit as if it had held for
 * ever, but the cuts of the lost one are forgotten as soon as its limits allow.
 *
 * @param held the limits until now.
 * @param knownAt seconds: cuts of the lost log that somebody holds were not made later.
 * @returns at most 17; if more were needed, the oldest are held to the lowest of theirs.
 */
export function limitsOfLostLog(held: TokenLifetimes, knownAt: number): readonly EarlierLifetime[] {
  const latest = { until: secondsUp(knownAt + raiseDelaySeconds), seconds: held.seconds }
  const limits = [...held.earlier, latest]
    .sort((one, other) => one.until - other.until || other.seconds - one.seconds)
    // One that holds for fewer tokens, and allows them no less, says nothing.
    .filter(({ seconds }, index, all) => all.slice(index + 1).every(later => seconds < later.seconds))
  const excess = limits.length - lifetimeRaisesLimit - 1
  const [lowest, last] = [limits[0], limits[excess]]
  if (excess <= 0 || lowest === undefined || last === undefined) return limits
  return [{ until: last.until, seconds: lowest.seconds }, ...limits.slice(excess + 1)]
}

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
