/**
 * The credentials that a request of an OAuth client carries (RFC 6749 section 2.3, RFC 7521 section 4.2). Nothing is
 * proven by them yet.
 *
 * @module
 */
import type { Form } from '../endpoint/form.ts'

/** Credentials as they came. */
export type Presented =
  | { readonly method: 'secret'; readonly id: string; readonly secret: string; readonly inHeader: boolean }
  /** A signed assertion; `id` is `client_id`, which need not be there. */
  | { readonly method: 'assertion'; readonly id: string | undefined; readonly assertion: string }
  /** A client_id alone. */
  | { readonly method: 'none'; readonly id: string }

/** Why a request names no client. */
export interface NotPresented {
  readonly problem: string
  /** Something was tried in the Authorization header: the answer names the scheme (RFC 6749 section 5.2). */
  readonly inHeader: boolean
}

/** `client_assertion_type` of a JWT (RFC 7523 section 2.2). */
export const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const basic = /^basic +([A-Za-z0-9+/]+={0,2})$/i

/** Reads the credentials of a request; two methods at once are refused (RFC 6749 section 2.3). */
export function readPresented(authorization: string | undefined, form: Form): Presented | NotPresented {
  const ways = [
    authorization !== undefined,
    form.get('client_secret') !== undefined,
    form.get('client_assertion') !== undefined,
  ]
  const inHeader = authorization !== undefined
  if (ways.filter(Boolean).length > 1) return { problem: 'client credentials in two ways at once', inHeader }
  if (authorization !== undefined) return fromHeader(authorization, form)
  const id = form.get('client_id')
  const assertion = form.get('client_assertion')
  if (assertion !== undefined) {
    if (form.get('client_assertion_type') === jwtBearer) return { method: 'assertion', id, assertion }
    return { problem: `client_assertion_type must be ${jwtBearer}`, inHeader }
  }
  if (id === undefined) return { problem: 'client credentials are missing', inHeader }
  const secret = form.get('client_secret')
  return secret === undefined ? { method: 'none', id } : { method: 'secret', id, secret, inHeader }
}

function fromHeader(authorization: string, form: Form): Presented | NotPresented {
  const credentials = decodeBasic(authorization)
  if (credentials === undefined) return { problem: 'the Authorization header is not Basic', inHeader: true }
  const named = form.get('client_id')
  if (named === undefined || named === credentials.id)
    return { method: 'secret', ...credentials, inHeader: true }
  return { problem: 'client_id differs from the one in the Authorization header', inHeader: true }
}

/** Both parts are form-url-encoded before they are joined (RFC 6749 section 2.3.1). */
function decodeBasic(authorization: string): { id: string; secret: string } | undefined {
  const encoded = basic.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const id = formDecode(text.slice(0, colon))
  const secret = formDecode(text.slice(colon + 1))
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
