/**
 * Live revocations, as the admin API tells of them, for people.
 *
 * @module
 */
import type { HeldAnswer } from '../revoker/admin/held-answer.ts'
import { printable } from '../runtime/printable.ts'
import { claimsText, timeText } from './claims.ts'

/** A live revocation, perhaps with its texts. */
export interface HeldShown extends HeldAnswer {
  readonly match?: Readonly<Record<string, unknown>>
  readonly reason?: string
  readonly actor?: string
}

/** The lines that tell of one. */
export function heldLines({ id, names, issuedBefore, expiresAt, version, ...texts }: HeldShown): string[] {
  const what = texts.match === undefined ? names.map(printable).join(' + ') : claimsText(texts.match)
  const cut = issuedBefore === undefined ? '' : `, issued until ${timeText(issuedBefore)}`
  const since = version === null ? 'by a log that is gone' : `since version ${version}`
  const who = texts.actor === undefined ? '' : `, by ${printable(texts.actor)}`
  const why = texts.reason === undefined ? '' : ` (${printable(texts.reason)})`
  return [
    `  ${what}${cut}`,
    `    ${since}, until ${timeText(expiresAt)}${who}${why}`,
    `    ${id === null ? 'one of many that were merged; it cannot be restored alone' : `id ${id}`}`,
  ]
}
