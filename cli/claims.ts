/**
 * Claims and times as they are given on the command line.
 *
 * @module
 */
import { RescindError } from '../revocation/error.ts'
import { parseDurationMs } from '../runtime/config/duration.ts'
import { printable } from '../runtime/printable.ts'

/** Options that name claims. */
export interface ClaimOptions {
  readonly iss?: string
  readonly sub?: string
  readonly client?: string
  readonly sid?: string
  readonly jti?: string
  /** name=value. */
  readonly claim?: readonly string[]
}

/**
 * The claims that options name, by their names in a match; values are texts, which equal numbers and booleans too.
 *
 * @throws RescindError ERR_REQUEST_INVALID if a claim is not name=value, or is named twice.
 */
export function claimsOf({ iss, sub, client, sid, jti, claim = [] }: ClaimOptions): Record<string, string> {
  const named = Object.entries({ iss, sub, $client: client, sid, jti }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  const all = [...named, ...claim.map(splitClaim)]
  const names = new Set(all.map(([name]) => name))
  if (names.size < all.length) throw invalid('a claim is given twice')
  return Object.fromEntries(all)
}

function splitClaim(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw invalid(`--claim ${text}: must be name=value, for example tenant=acme`)
}

/** Claims as they are given: `iss=https://op.example sub=alice`. */
export const claimsText = (claims: Readonly<Record<string, unknown>>): string =>
  Object.entries(claims)
    .map(([name, value]) => printable(`${name}=${String(value)}`))
    .join(' ')

/**
 * A time: seconds since 1970, or ISO 8601 such as 2026-05-01T18:00:00Z.
 *
 * @throws RescindError ERR_REQUEST_INVALID
 */
export function secondsOf(text: string, option: string): number {
  // Fewer digits are rather a date than a time of before 1973.
  if (/^\d{9,12}$/.test(text)) return Number(text)
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(ms)) return Math.floor(ms / 1000)
  throw invalid(`${option} ${text}: must be seconds since 1970, or a time such as 2026-05-01T18:00:00Z`)
}

/**
 * A duration such as 2h from now on, as seconds since 1970.
 *
 * @throws RescindError ERR_REQUEST_INVALID
 */
export function secondsFromNow(text: string, option: string): number {
  try {
    return Math.floor(Date.now() / 1000) + Math.ceil(parseDurationMs(text) / 1000)
  } catch {
    throw invalid(`${option} ${text}: must be a duration such as 30m, 2h or 7d`)
  }
}

/** The last time that a date can tell, milliseconds. */
const latestMs = 8.64e15

/** Seconds since 1970 as people read them. */
export const timeText = (seconds: number): string =>
  Math.abs(seconds * 1000) <= latestMs
    ? new Date(seconds * 1000).toISOString().replace('.000', '')
    : `${seconds} s`

const invalid = (message: string) => new RescindError('ERR_REQUEST_INVALID', message)
