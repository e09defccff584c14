/**
 * How far beyond "now" a cut reaches, because an issuer may still be answering with a token of before, or its clock be
 * ahead. Whoever signs in again within this time must do so once more.
 *
 * @module
 */
import type { Match } from '../revocation/key.ts'

/** Seconds, by the claim that the cut names; other cuts have none. */
const marginsSeconds = [
  ['sid', 30],
  ['sub', 2],
] as const

/** issuedBefore of a cut that is made now, seconds. */
export function cutNow(match: Match, nowSeconds: number): number {
  const [, margin] = marginsSeconds.find(([name]) => Object.hasOwn(match, name)) ?? ['', 0]
  return Math.floor(nowSeconds) + margin
}
