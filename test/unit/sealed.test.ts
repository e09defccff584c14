/** What is sealed opens for the token that it was sealed under, and for nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Opener, seal, unseal } from '../../revoker/grants/sealed.ts'

const opener = (changes: Partial<Opener> = {}): Opener => ({
  kind: 'access_token',
  octets: Buffer.from('an access token'),
  belongsTo: Buffer.from('grant and fingerprint'),
  ...changes,
})

test('the same token opens it', () => {
  for (const text of ['a refresh token', 'ä'.repeat(1_000), ''])
    assert.equal(unseal(seal(text, opener()), opener()), text)
})

test('another token, another purpose or another place does not open it', () => {
  const sealed = seal('a refresh token', opener())
  const others: Partial<Opener>[] = [
    { octets: Buffer.from('another token') },
    { kind: 'refresh_token' },
    { belongsTo: Buffer.from('elsewhere') },
  ]
  for (const changes of others) assert.equal(unseal(sealed, opener(changes)), undefined)
})

test('a changed octet, wherever it is, and a missing one are noticed', () => {
  const sealed = seal('a refresh token', opener())
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] as number) ^ 1
    assert.equal(unseal(changed, opener()), undefined, `at ${at}`)
    assert.equal(unseal(sealed.subarray(0, at), opener()), undefined, `cut at ${at}`)
  }
})

test('the same text is never sealed alike, and nothing of it can be read', () => {
  const sealed = Array.from({ length: 100 }, () => seal('a refresh token', opener()))
  const part = (from: number, to: number) => new Set(sealed.map(one => one.toString('hex', from, to))).size
  assert.deepEqual([part(0, 16), part(16, 28), part(28, 43), part(43, 59)], [100, 100, 100, 100])
  for (const one of sealed) assert.ok(!one.includes('refresh'))
})
