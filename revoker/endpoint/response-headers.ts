/**
 * The response headers of WSO2's revocation endpoint.
 *
 * @module
 */
import { percentEncoded } from '../../runtime/printable.ts'

/** `gateway`: with the two headers that WSO2's gateway adds; `none`: nothing is told of the tokens. */
export type ResponseHeaders = 'wso2' | 'gateway' | 'none'

/** What an answer tells of what was revoked. */
export interface Told {
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
  /** The subject of the tokens. */
  readonly user?: string | undefined
}

const securityHeaders: Readonly<Record<string, string>> = {
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'X-XSS-Protection': '1; mode=block',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
}

const gatewayHeaders: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers':
    'authorization,Access-Control-Allow-Origin,Content-Type,SOAPAction,Authorization',
}

/** The names of the headers that tell of tokens; a browser's script may read them (CORS). */
export const toldHeaders = ['RevokedAccessToken', 'RevokedRefreshToken', 'AuthorizedUser'] as const

/** Sent with every answer of the endpoint. */
export const headersOfAll = (kind: ResponseHeaders): Readonly<Record<string, string>> =>
  kind === 'gateway' ? { ...securityHeaders, ...gatewayHeaders } : securityHeaders

/**
 * The headers that tell what was revoked, and whose it was.
 *
 * @param tenantDomain follows the user's name.
 */
export function headersOf(told: Told, kind: ResponseHeaders, tenantDomain: string): Record<string, string> {
  if (kind === 'none') return {}
  const { accessToken, refreshToken, user } = told
  const values = [accessToken, refreshToken, user === undefined ? undefined : `${user}@${tenantDomain}`]
  const headers = toldHeaders.map((name, index) => [name, headerValue(values[index] ?? '')] as const)
  return Object.fromEntries(headers.filter(([, value]) => value !== ''))
}

/** Most bytes of a header value: a part of a token would be of no use, so a longer one is left out. */
const valueLimit = 8_192

/** A text as a header value: what is not printable ASCII is percent-encoded, so that nothing can be injected. */
export function headerValue(text: string): string {
  const value = percentEncoded(text)
  return value.length <= valueLimit ? value : ''
}
