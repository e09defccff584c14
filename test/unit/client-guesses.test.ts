/** Guesses at a client's secret that come together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClientAuthenticator } from '../../revoker/clients/authentication.ts'
import { hashSecret } from '../../token/secret.ts'

test('of guesses that come together, one that is right after too many wrong ones tells nothing', async () => {
  const proof = { method: 'secret', hash: await hashSecret('right') } as const
  const assertions = { clientOf: () => undefined, verify: async () => false, spend: () => false }
  const limits = { failuresPerMinute: 3, requestsPerSecond: 100 }
  const { authenticate } = createClientAuthenticator(
    [{ id: 'shop', issuer: 'https://idp.test', proof }],
    assertions,
    limits,
  )
  const guess = (secret: string) =>
    authenticate({ method: 'secret', id: 'shop', secret, inHeader: true }, '192.0.2.1')
  const secrets = ['a', 'b', 'c', 'd', 'e', 'right']
  const outcomes = (await Promise.all(secrets.map(guess))).map(answer =>
    'client' in answer ? 'let in' : answer.refused,
  )
  // Two are verified at once, so that neighbours may change places.
  assert.deepEqual(outcomes.toSorted(), [...Array(3).fill('limited'), ...Array(3).fill('unauthenticated')])
  assert.equal(outcomes.at(-1), 'limited')
})
