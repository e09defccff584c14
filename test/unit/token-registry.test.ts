/** The token registry: who is told what of a token, and that nothing that was issued to a revoked grant stays. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { RescindError } from '../../revocation/error.ts'
import { jwtFingerprint, opaqueFingerprint } from '../../revocation/token-fingerprint.ts'
import type { FoundToken, GrantStore } from '../../revoker/grants/grant-store.ts'
import type { IssuedTokens } from '../../revoker/grants/issued-tokens.ts'
import {
  createTokenRegistry,
  type RegisteredToken,
  type TokenRegistry,
} from '../../revoker/grants/token-registry.ts'
import type { NewRevocation } from '../../revoker/publisher.ts'
import { newFolder } from '../support/embedded-log.ts'
import { nowSeconds, openGrantsIn } from '../support/grant-stores.ts'

const issuer = 'https://idp.example.com'
const reporter = { actor: 'feeder:idp', issuers: [issuer] }
const longestToken = 10_000
const inAnHour = Math.floor(nowSeconds()) + 3_600

let folder = ''
let store: GrantStore
let registry: TokenRegistry
let published: NewRevocation[] = []
let refused: string[] = []
let refusesToPublish = false

const registryOn = (on: GrantStore): TokenRegistry =>
  createTokenRegistry({
    store: on,
    publish: async revocation => {
      if (refusesToPublish) throw new RescindError('ERR_LOG_UNREACHABLE', 'away')
      published.push(revocation)
      return { position: published.length, id: revocation.id, expiresAt: revocation.expiresAt ?? 0 }
    },
    nowSeconds,
    longestTokenSeconds: () => longestToken,
    onRefused: reason => refused.push(reason),
  })

beforeEach(async () => {
  folder = await newFolder()
  store = await openGrantsIn(folder)
  registry = registryOn(store)
  published = []
  refused = []
  refusesToPublish = false
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const report = (access?: string, refresh?: string, changes: Partial<IssuedTokens> = {}): IssuedTokens => ({
  issuer,
  clientId: 'shop',
  ...(access === undefined ? {} : { accessToken: { token: access, expiresAt: inAnHour } }),
  ...(refresh === undefined ? {} : { refreshToken: { token: refresh } }),
  ...changes,
})
const add = (...reports: readonly IssuedTokens[]): Promise<void> => registry.add(reports, reporter)
const find = async (token: string): Promise<RegisteredToken> => {
  const found = await registry.find(token, undefined)
  assert.ok(found !== undefined, `${token} is not known`)
  return found
}
const isUnknown = async (token: string): Promise<boolean> =>
  (await registry.find(token, undefined)) === undefined
const revoke = async (token: string) => registry.markRevoked(await find(token))
const opaque = (token: string) => ({
  match: { iss: issuer, $token: opaqueFingerprint(token) },
  expiresAt: inAnHour,
  tokenType: 'opaque',
})
const hasCode = (code: string) => (error: unknown) => error instanceof RescindError && error.code === code
const isRefused = hasCode('ERR_GRANT_REFUSED')

const segment = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const jwt = (claims: object, signature = 'signature'): string =>
  `${segment({ alg: 'ES256' })}.${segment({ iss: issuer, exp: inAnHour, ...claims })}.${segment(signature)}`

test('each token of a pair tells the other, and whose they are', async () => {
  await add(report('access', 'refresh', { subject: 'alice' }))
  for (const [token, kind, other] of [
    ['access', 'access_token', 'refresh'],
    ['refresh', 'refresh_token', 'access'],
  ] as const) {
    const found = await find(token)
    const { issuer: iss, clientId, subject } = found
    assert.deepEqual([found.kind, iss, clientId, subject], [kind, issuer, 'shop', 'alice'])
    assert.equal(found.otherToken(), other)
  }
})

test('a token is found with either hint; where both kinds have it, the hint decides', async () => {
  await add(report('access', 'refresh'), report('twice'), report(undefined, 'twice'))
  for (const hint of ['access_token', 'refresh_token', undefined] as const) {
    assert.equal((await registry.find('access', hint))?.kind, 'access_token')
    assert.equal((await registry.find('refresh', hint))?.kind, 'refresh_token')
    assert.equal(await registry.find('unknown', hint), undefined)
    assert.equal(await registry.find('x'.repeat(100_000), hint), undefined)
    assert.equal((await registry.find('twice', hint))?.kind, hint ?? 'access_token')
  }
})

test('for an unknown token both key spaces are asked, as for a known one', async () => {
  const asked: number[] = []
  const counting = registryOn({
    ...store,
    find: async (fingerprints): Promise<FoundToken | undefined> => {
      asked.push(new Set(fingerprints.map(String)).size)
      return store.find(fingerprints)
    },
  })
  await add(report('access', 'refresh'))
  for (const token of ['access', 'refresh', 'unknown']) await counting.find(token, 'access_token')
  assert.deepEqual(asked, [2, 2, 2])
})

test('an access token is revoked alone; a refresh token with all access tokens of its grant', async () => {
  await add(report('access', 'refresh'), report('second', 'refresh'), report('other'))
  assert.deepEqual(await revoke('access'), [opaque('access')])
  assert.deepEqual(published, [])
  const revoked = await revoke('refresh')
  const byName = (one: { match: object }, other: { match: object }) =>
    JSON.stringify(one.match) < JSON.stringify(other.match) ? -1 : 1
  assert.deepEqual([...revoked].sort(byName), [opaque('access'), opaque('second')].sort(byName))
})

test('what is reported for a grant after its refresh token was revoked is revoked on arrival, before the report is answered', async () => {
  await add(report('access', 'refresh'))
  await revoke('refresh')
  await add(report('late', 'refresh'))
  const [revocation] = published
  assert.deepEqual(revocation?.match, opaque('late').match)
  assert.deepEqual([revocation?.expiresAt, revocation?.actor], [inAnHour, 'feeder:idp'])
  await add(report('late', 'refresh'))
  assert.equal(published[1]?.id, revocation?.id)
})

test('a report is not answered as long as the log refuses the revocation that it needs', async () => {
  await add(report('access', 'refresh'))
  await revoke('refresh')
  refusesToPublish = true
  await assert.rejects(add(report('late', 'refresh')), hasCode('ERR_LOG_UNREACHABLE'))
  refusesToPublish = false
  await add(report('late', 'refresh'))
  assert.deepEqual(
    published.map(({ match }) => match),
    [opaque('late').match],
  )
})

test('nothing issued while its refresh token is revoked gets through, whichever comes first', async () => {
  await add(report('first', 'refresh'))
  const names = Array.from({ length: 50 }, (_, index) => `access ${index}`)
  const adding = names.map(name => add(report(name, 'refresh')))
  const [revoked] = await Promise.all([revoke('refresh'), ...adding])
  const all = new Set([...revoked, ...published].map(({ match }) => match.$token))
  for (const name of ['first', ...names]) assert.ok(all.has(opaqueFingerprint(name)), name)
})

test('after a rotation the old and the new refresh token find the same grant', async () => {
  await add(report('one', 'old', { grantId: 'g' }))
  await add(report('two', 'new', { grantId: 'g' }))
  assert.equal((await find('new')).otherToken(), 'two')
  assert.equal((await find('old')).otherToken(), 'one')
  assert.equal((await revoke('old')).length, 2)
  await add(report('three', 'newest', { grantId: 'g' }))
  assert.equal(published.length, 1)
})

test('a report without a grant id belongs to the grant that has one of its tokens', async () => {
  await add(report('one', 'refresh', { grantId: 'g' }))
  await add(report('two', 'refresh'))
  await add(report('one'))
  assert.equal((await revoke('refresh')).length, 2)
})

test('nobody can add to the grant of another client, nor take one of its tokens', async () => {
  await add(report('mine', 'refresh', { grantId: 'g' }))
  await assert.rejects(add(report('theirs', undefined, { grantId: 'g', clientId: 'other' })), isRefused)
  await assert.rejects(add(report('mine', undefined, { clientId: 'other' })), isRefused)
  await assert.rejects(add(report('mine', undefined, { grantId: 'other' })), isRefused)
  assert.equal((await find('mine')).clientId, 'shop')
  assert.equal(await isUnknown('theirs'), true)
  assert.deepEqual(refused, ['other-client', 'other-client', 'other-grant'])
})

test('the same grant id at another issuer is another grant', async () => {
  const other = 'https://other.example'
  await add(report('mine', 'refresh', { grantId: 'g' }))
  const theirs = report('theirs', undefined, { grantId: 'g', issuer: other })
  await registry.add([theirs], { actor: 'feeder:other', issuers: [other] })
  assert.deepEqual(await revoke('refresh'), [opaque('mine')])
})

test('a reporter speaks for its own issuers only: otherwise nothing of what it sends is stored', async () => {
  const foreign = report('foreign', undefined, { issuer: 'https://other.example' })
  await assert.rejects(add(report('mine'), foreign), hasCode('ERR_GRANT_FORBIDDEN'))
  assert.deepEqual([await isUnknown('mine'), await isUnknown('foreign'), refused], [true, true, ['issuer']])
})

test('what can be stored of a list is stored, and what cannot is said', async () => {
  await add(report('mine', undefined, { grantId: 'g' }))
  const bad = report('bad', undefined, { grantId: 'g', clientId: 'other' })
  await assert.rejects(add(report('fine'), bad, report('good')), (error: unknown) => {
    assert.match(String(error), /report 1 of the list: grantId: it is the grant of another client/)
    return isRefused(error)
  })
  assert.deepEqual([await isUnknown('bad'), await isUnknown('good')], [true, false])
})

test('a JWT is revoked by its jti, or by what it says; its claims count', async () => {
  const exp = inAnHour + 60
  const [withJti, without] = [jwt({ jti: 'a', exp, sub: 'bob', client_id: 'shop' }), jwt({ sub: 'bob' })]
  await add(report(withJti, 'refresh', { subject: 'alice' }), report(without))
  assert.equal((await find(withJti)).subject, 'bob')
  assert.deepEqual(await revoke(withJti), [
    { match: { iss: issuer, jti: 'a' }, expiresAt: exp, tokenType: 'JWT' },
  ])
  const [header = '', payload = ''] = without.split('.').map(part => Buffer.from(part, 'base64url'))
  const $token = jwtFingerprint(Buffer.from(header), Buffer.from(payload))
  assert.deepEqual(await revoke(without), [
    { match: { iss: issuer, $token }, expiresAt: inAnHour, tokenType: 'JWT' },
  ])
})

test('who issued a JWT, and to which client, need not be said twice, and must not be said differently', async () => {
  const { clientId: _, ...nobody } = report(jwt({ azp: 'shop' }))
  await add(nobody)
  assert.equal((await find(jwt({ azp: 'shop' }))).clientId, 'shop')
  for (const wrong of [
    report(jwt({ iss: 'https://other.example' })),
    report(jwt({ client_id: 'other' })),
    report(),
    { ...nobody, accessToken: { token: 'opaque' } },
  ])
    await assert.rejects(add(wrong), isRefused)
  assert.deepEqual(refused, Array(4).fill('contradiction'))
  await add(report(jwt({ aud: 'https://api.example.com' })))
})

test('a JWT is found however it is encoded, and not by what it says alone', async () => {
  const token = jwt({ jti: 'a' }, 'sign')
  await add(report(token))
  const last = token.at(-1) as string
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const padded = `${token.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`
  assert.notEqual(padded, token)
  assert.equal((await find(padded)).kind, 'access_token')
  assert.equal(await isUnknown(jwt({ jti: 'a' }, 'forged')), true)
})

test('what only looks like a JWT is opaque', async () => {
  for (const token of ['eyJhbGciOiJub25lIn0.e30', 'a.b.c', `${segment('{"alg":1}')}.e30.c2ln`]) {
    await add(report(token))
    assert.deepEqual(await revoke(token), [opaque(token)])
  }
})

test('an opaque token whose end is not known is revoked for as long as any token can live, and no token for longer', async () => {
  const none = { accessToken: { token: 'endless' } }
  const far = { accessToken: { token: 'far', expiresAt: inAnHour * 2 } }
  await add({ ...report(), ...none }, { ...report(), ...far }, report(jwt({ jti: 'j', exp: 9e12 })))
  for (const token of ['endless', 'far', jwt({ jti: 'j', exp: 9e12 })]) {
    const [{ expiresAt } = { expiresAt: 0 }] = await revoke(token)
    assert.ok(Math.abs(expiresAt - (nowSeconds() + longestToken)) < 30, `${token}: ${expiresAt}`)
  }
})

test('a refresh token is found as long as the access token lives that came with it', async () => {
  const refreshToken = { token: 'refresh', expiresAt: 1 }
  await add(report('access', undefined, { refreshToken }))
  assert.deepEqual(await revoke('refresh'), [opaque('access')])
})

test('no token lies readable on disk, nor does what is found show one', async () => {
  const tokens = ['an-opaque-access-token', 'a-refresh-token', jwt({ jti: 'a' })]
  await add(report(tokens[0], tokens[1]), report(tokens[2], 'another-refresh-token'))
  const found = await find('a-refresh-token')
  assert.ok(!JSON.stringify(found).includes('access-token'))
  const files = readdirSync(folder).filter(name => name.endsWith('.mdb'))
  const content = Buffer.concat(files.map(name => readFileSync(join(folder, name))))
  assert.ok(content.includes(issuer))
  for (const token of [...tokens, 'another-refresh-token'])
    for (const part of token.split('.')) assert.ok(!content.includes(part), part)
})
