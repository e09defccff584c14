/** How far a cut that is made now reaches. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutNow } from '../../revoker/margins.ts'

test('a cut made now covers tokens that are issued while a session or a user is being logged out', () => {
  assert.equal(cutNow({ iss: 'https://a', sid: 's', sub: 'u' }, 1_000.9), 1_030)
  assert.equal(cutNow({ iss: 'https://a', sub: 'u' }, 1_000.9), 1_002)
})

test('a cut of anything else made now ends now', () => {
  assert.equal(cutNow({ iss: 'https://a', $client: 'c' }, 1_000.9), 1_000)
  assert.equal(cutNow({ iss: 'https://a' }, 1_000.9), 1_000)
})
