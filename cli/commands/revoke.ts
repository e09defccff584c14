/**
 * `rescind revoke`: revokes a token, or whatever has some claims, through the admin API.
 *
 * @module
 */
import { RescindError } from '../../revocation/error.ts'
import { askAdminApi } from '../admin-api.ts'
import { type ClaimOptions, claimsOf, claimsText, secondsFromNow, secondsOf, timeText } from '../claims.ts'
import { type ConfirmedAnswer, confirmationLines, endByConfirmation, waitHeaders } from '../enforced.ts'
import { printJson, printLines } from '../printing.ts'
import { tokenOf } from '../standard-input.ts'

/** Options of the command. */
export interface RevokeOptions extends ClaimOptions {
  /** Base URL of the revoker. */
  readonly server: string
  /** `now` or a time. */
  readonly issuedBefore?: string
  readonly expiresAt?: string
  /** A duration. */
  readonly for?: string
  readonly issuerWide?: boolean
  readonly reason?: string
  /** Seconds. */
  readonly wait?: number
  readonly json?: boolean
}

/** The answer of `POST /revocations`. */
interface RevocationAnswer extends ConfirmedAnswer {
  readonly id: string | null
  readonly version: number
  readonly match: Readonly<Record<string, unknown>>
  readonly issuedBefore?: number
  readonly expiresAt: number
}

/**
 * Revokes; `-` reads the token from standard input. Ends with 2 if enforcers were waited for and not all have it.
 *
 * @throws RescindError ERR_REQUEST_FAILED with what the revoker said, or that it cannot be reached; ERR_REQUEST_INVALID
 *   for options that do not go together.
 */
export async function revoke(argument: string | undefined, options: RevokeOptions): Promise<void> {
  const body = {
    ...(argument === undefined ? claimsBody(options) : tokenBody(argument, options)),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }
  const request = { method: 'POST', path: '/revocations', body, headers: waitHeaders(options) } as const
  const answer = await askAdminApi<RevocationAnswer>(options.server, request, options.wait)
  if (options.json === true) printJson(answer)
  else printLines([...describe(answer), ...confirmationLines(answer, options)])
  endByConfirmation(answer, options)
}

function tokenBody(argument: string, options: RevokeOptions): object {
  const { issuedBefore, expiresAt, for: duration, issuerWide } = options
  const others = [issuedBefore, expiresAt, duration, issuerWide].some(option => option !== undefined)
  if (others || Object.keys(claimsOf(options)).length > 0) {
    throw invalid('give either a token, which is revoked until it expires, or claims with a time')
  }
  return { token: tokenOf(argument) }
}

function claimsBody(options: RevokeOptions): object {
  const match = claimsOf(options)
  if (Object.keys(match).length === 0) {
    throw invalid('give a token (or - for standard input), or claims such as --iss and --sub')
  }
  const { issuedBefore, expiresAt, for: duration } = options
  const times = [
    issuedBefore === undefined ? [] : { issuedBefore: issuedBeforeOf(issuedBefore) },
    expiresAt === undefined ? [] : { expiresAt: secondsOf(expiresAt, '--expires-at') },
    duration === undefined ? [] : { expiresAt: secondsFromNow(duration, '--for') },
  ].flat()
  const [time] = times
  if (time === undefined || times.length > 1) {
    throw invalid('give one of --issued-before now (what was issued until then), --for 2h, --expires-at TIME')
  }
  return { match, ...time, ...(options.issuerWide === true ? { issuerWide: true } : {}) }
}

const issuedBeforeOf = (text: string) => (text === 'now' ? text : secondsOf(text, '--issued-before'))

function describe({ id, version, match, issuedBefore, expiresAt }: RevocationAnswer): string[] {
  const cut = issuedBefore === undefined ? '' : `, issued until ${timeText(issuedBefore)}`
  const already = id === null ? ' (it was already)' : ''
  return [
    `revoked${already}: ${claimsText(match)}${cut}`,
    `version ${version}, kept until ${timeText(expiresAt)}`,
    ...(id === null ? [] : [`id ${id}`]),
  ]
}

const invalid = (message: string) => new RescindError('ERR_REQUEST_INVALID', message)
