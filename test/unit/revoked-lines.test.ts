/** The lines that an adapter logs of a revocation are two, whatever its texts say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logRevoked } from '../../adapter/adapter.ts'
import type { Revocation } from '../../revocation/revocation.ts'
import { createKeptLogger } from '../support/kept-logger.ts'

const entry = { position: 7, digest: 0n, event: Buffer.alloc(0) }
const linesOf = (texts: Partial<Revocation>): readonly string[] => {
  const { logger, lines } = createKeptLogger()
  const match = { iss: 'https://idp.example.com', jti: 'abc' }
  const event: Revocation = { kind: 'revocation', id: '0', match, revokedAt: 1, expiresAt: 2, ...texts }
  logRevoked(logger, entry, { event })
  return lines.map(({ message }) => message)
}
const update = 'New Revoked token cache update for the label: commonEnforcerLabel version: 7'

test('a token is named as Choreo Connect does, everything else only changes the version', () => {
  assert.deepEqual(linesOf({}), ['RevokedToken: abc, Token Type: JWT', update])
  assert.deepEqual(linesOf({ tokenType: 'APIKey' }), ['RevokedToken: abc, Token Type: APIKey', update])
  assert.deepEqual(linesOf({ match: { sub: 'bob' } }), [update])
})

test('no text of others begins a line of its own, or steers a terminal', () => {
  const jti = 'a\nINFO: forged\u001b[2J'
  const [line] = linesOf({ match: { jti }, tokenType: 'JWT\r\nforged' })
  assert.equal(line, 'RevokedToken: a?INFO: forged?[2J, Token Type: JWT??forged')
})
