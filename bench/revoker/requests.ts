/**
 * The requests that are sent, as bytes, and what their answers must be.
 *
 * @module
 */

import { basic } from '../../test/support/revoking.ts'
import { testClient } from '../../test/support/stack.ts'
import type { Answer } from './connection.ts'

/** `revoke`: RFC 7009. `confirm`: the same, and waiting for enforcers. `bare`: to a server that does nothing. */
export type RequestKind = 'revoke' | 'confirm' | 'bare'

const enforcers = 3

/** The request that revokes a token. */
export const requestOf = (kind: RequestKind, token: string): Buffer =>
  bytesOf('/oauth2/revoke', `token=${token}`, {
    ...basic(testClient),
    'content-type': 'application/x-www-form-urlencoded',
    ...(kind === 'confirm' ? { prefer: 'wait=30' } : {}),
  })

const bytesOf = (path: string, body: string, headers: Readonly<Record<string, string>>): Buffer => {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(body.length) })
  const head = [`POST ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}

const proofs: Readonly<Record<RequestKind, RegExp>> = {
  revoke: /^RevokedAccessToken: /im,
  confirm: new RegExp(
    `^Revocation-Status: enforced; version=\\d+; enforcers=${enforcers}/${enforcers}`,
    'im',
  ),
  bare: /^HTTP/,
}

/** Throws unless the answer says that it was done: a server that refuses is faster. */
export const checkAnswer = (kind: RequestKind, { status, head }: Answer): void => {
  if ((status === 200 || status === 201) && proofs[kind].test(head)) return
  throw new Error(`a request was not answered as it must be: ${head}`)
}
