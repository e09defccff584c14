/** What a revoker verifies beyond what an enforcer does: some enforcer may still hold a key that has left the key set. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../support/condition.ts'
import { generatePair, signToken } from '../support/token-issuer.ts'
import { someClaims, useVerifier } from '../support/token-verifier-fixture.ts'

describe("a revoker's verifier", () => {
  const t = useVerifier()

  it('knows a key that left the set, for as long as an enforcer may use it', async () => {
    await t.start({}, 3_600)
    const text = await signToken(t.rsa, someClaims)
    const remembered = await t.genuine(text)
    t.server.publish([t.ec])
    t.timing.advance(300_000)
    await until('the refresh is over', () => !t.verifier.isCurrent(remembered))
    assert.equal(await t.verdict(text), 'ok')
    const forged = await signToken(await generatePair('RS256', 'rsa'), someClaims)
    assert.equal(await t.verdict(forged), 'unknown_key')
    t.timing.advance(3_600_000)
    assert.equal(await t.verdict(text), 'unknown_key')
  })

  it('takes a key for unknown only after a fetch, not because the next fetch is not due yet', async () => {
    await t.start({}, 3_600)
    const junk = await signToken(await generatePair('RS256', 'junk'), someClaims)
    assert.equal(await t.verdict(junk), 'unknown_key')
    t.server.publish([t.rsa2])
    const fresh = await signToken(t.rsa2, someClaims)
    assert.equal(await t.verdict(fresh), 'keys_unavailable')
    t.timing.advance(10_000)
    assert.equal(await t.verdict(fresh), 'ok')
  })
})
