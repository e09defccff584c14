/** Finding the JWKS of an issuer in its metadata. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createManualTiming, json } from '../support/token-issuer.ts'
import { useSource } from '../support/token-source-fixture.ts'

describe('a JWKS source without a JWKS URL', () => {
  const t = useSource()
  const openidPath = '/.well-known/openid-configuration'
  const oauthPath = '/.well-known/oauth-authorization-server'
  const discover = (path = '') => t.start({ issuer: `${t.server.origin}${path}`, jwksUri: undefined })
  const metadata = (changes: object = {}) =>
    json({ issuer: t.server.origin, jwks_uri: `${t.server.origin}/jwks`, ...changes })

  it('finds it in the OpenID configuration', async () => {
    t.server.answers.set(openidPath, metadata())
    t.server.publish([t.one])
    discover()
    await t.settled(1)
    assert.deepEqual(t.kids(), ['one'])
    assert.deepEqual(t.server.requests, [openidPath, '/jwks'])
  })

  it('finds it in RFC 8414 metadata if there is no OpenID configuration', async () => {
    const issuer = `${t.server.origin}/tenant/7`
    t.server.answers.set(`${oauthPath}/tenant/7`, metadata({ issuer }))
    t.server.publish([t.one])
    discover('/tenant/7')
    await t.settled(1)
    assert.deepEqual(t.kids(), ['one'])
    assert.deepEqual(t.server.requests, [`/tenant/7${openidPath}`, `${oauthPath}/tenant/7`, '/jwks'])
  })

  it('asks only for the JWKS when an unknown key makes it fetch, and for the metadata at each refresh', async () => {
    t.server.answers.set(openidPath, metadata())
    t.server.publish([t.one])
    discover()
    await t.settled(1)
    await t.source.refetch()
    assert.deepEqual(t.server.requests.slice(2), ['/jwks'])
    t.server.answers.set(openidPath, metadata({ jwks_uri: `${t.server.origin}/moved` }))
    t.server.publish([t.two], '/moved')
    t.timing.advance(300_000)
    await t.settled(3)
    assert.deepEqual(t.server.requests.slice(3), [openidPath, '/moved'])
    assert.deepEqual(t.kids(), ['two'])
  })

  it('refuses the metadata of another issuer, and metadata without a usable JWKS URL', async () => {
    t.server.publish([t.one])
    const bad: [object, RegExp][] = [
      [{ issuer: `${t.server.origin}/` }, /is the metadata of .*, not of/],
      [{ issuer: undefined }, /is the metadata of nothing, not of/],
      [{ jwks_uri: undefined }, /jwks_uri must be a URL \(http: or https:\), got nothing/],
      [{ jwks_uri: 'file:///etc/passwd' }, /jwks_uri must be a URL/],
      [{ jwks_uri: 7 }, /jwks_uri must be a URL/],
    ]
    for (const [changes, expected] of bad) {
      t.timing = createManualTiming()
      t.server.answers.set(openidPath, metadata(changes))
      discover()
      await t.settled(1)
      assert.match(t.source.status().lastError ?? '', expected)
      t.source.close()
    }
    assert.ok(!t.server.requests.includes('/jwks'))
  })

  it('takes no plain http JWKS from an https issuer', async () => {
    const issuer = 'https://op.example'
    const answer = async () => Response.json({ issuer, jwks_uri: 'http://op.example/jwks' })
    t.start({ issuer, jwksUri: undefined, fetch: answer })
    await t.settled(1)
    assert.match(t.source.status().lastError ?? '', /jwks_uri must be a URL \(https:\)/)
  })

  it('says where it looked when there is no metadata', async () => {
    discover()
    await t.settled(1)
    assert.match(
      t.source.status().lastError ?? '',
      /no metadata at .*openid-configuration nor at .*; configure jwksUri/,
    )
  })
})
